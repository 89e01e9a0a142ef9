"""The functions that SQL of a pack may call: those that give the same answer for the same evidence, and nothing else.

What is not listed is refused. Left out on purpose: everything that reads (files, settings, environment, catalog,
other SQL text), everything that depends on when, where or by whom it runs (`now`, `age`, `random`, `uuid`,
`current_*`), everything that waits, and estimates (`approx_*`, `reservoir_quantile`).
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a list that is easier to read than quotes and commas."""
    return frozenset(text.split())


SCALARS = words("""
    != !~~ !~~* % & && * ** + - ->> / // < << <= <@ = > >= >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
    abs add array_concat array_contains array_distinct array_extract array_filter array_has array_has_all array_has_any
    array_indexof array_intersect array_length array_position array_slice array_sort array_to_string array_transform
    array_unique ascii bar bin bit_count bit_length cardinality cbrt ceil ceiling century char_length character_length
    chr concat concat_ws contains damerau_levenshtein date_add date_diff date_part date_sub date_trunc datediff datepart
    datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade divide element_at encode decode ends_with epoch
    epoch_ms epoch_ns epoch_us even exp factorial filter flatten floor fmod format format_bytes from_base64 from_hex
    from_json from_json_strict gcd generate_series greatest hamming hash hex hour if instr isfinite isinf isnan
    isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains
    json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_keys json_merge_patch
    json_object json_quote json_structure json_transform json_transform_strict json_type json_valid json_value
    last_day lcase lcm least left len length levenshtein like_escape ilike_escape not_like_escape not_ilike_escape
    list_append list_apply list_avg list_bool_and list_bool_or list_cat list_concat list_contains list_count
    list_distinct list_element list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any
    list_indexof list_intersect list_last list_max list_median list_min list_pack list_position list_prepend
    list_reduce list_resize list_reverse list_reverse_sort list_select list_slice list_sort list_string_agg list_sum
    list_transform list_unique list_value list_where list_zip ln log log10 log2 lower lpad ltrim make_date make_time
    make_timestamp make_timestamptz map map_concat map_contains map_contains_value map_entries map_extract
    map_extract_value map_from_entries map_keys map_values md5 microsecond millennium millisecond minute mismatches mod
    month monthname multiply nanosecond nfc_normalize nullif octet_length ord overlay parse_dirname parse_filename
    parse_path position pow power prefix printf quarter range regexp_escape regexp_extract regexp_extract_all
    regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right round round_even
    row row_to_json rpad rtrim second sha1 sha256 sign split split_part sqrt starts_with str_split str_split_regex
    strftime string_split string_split_regex string_to_array strip_accents strlen strpos strptime struct_concat
    struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_values substr substring subtract
    suffix switch time_bucket timezone to_base64 to_binary to_days to_hex to_hours to_json to_microseconds
    to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years translate trim trunc
    try_strptime typeof ucase unhex unicode unnest upper url_decode url_encode week weekday weekofyear xor year yearweek
    """)
"""Functions of one row, operators included (in DuckDB's tree they are functions)."""

EXACT = words("bool_and bool_or count count_if count_star countif max min")
"""Aggregates whose answer does not depend on the order of the rows."""

ORDERED = words("""
    any_value arbitrary arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor
    corr covar_pop covar_samp cume_dist dense_rank entropy favg fill first first_value fsum geomean group_concat
    histogram json_group_array json_group_object kahan_sum kurtosis lag last last_value lead list listagg mad max_by
    mean median min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank rank_dense
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope row_number skewness stddev stddev_pop stddev_samp
    string_agg sum sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg
    """)
"""Aggregates and window functions whose answer may: rounding, ties, the order of a list."""

TABLES = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
"""Functions that give rows, all from their arguments alone."""

CLOCKS_AND_USERS = words("""
    current_catalog current_database current_date current_role current_schema current_time current_timestamp
    current_user localtime localtimestamp session_user user
    """)
"""Names that DuckDB reads as a function although they look like a column."""
