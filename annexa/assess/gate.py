"""The gate: what SQL of a pack may be, decided on DuckDB's own syntax tree before anything runs.

Rules (everything that is not allowed is refused):
- One statement, a SELECT; no PRAGMA, COPY, ATTACH, SET, no INSERT hidden in a WITH.
- It reads declared tables and its own CTEs, by bare name. A CTE is seen only where SQL sees it, so that its name
  cannot lend itself to a table that was not declared. It reads at least one declared table.
- It calls functions of `functions.py`, and binds parameters that are declared.
- In the query of a check, `else 'pass'` is refused, and `coalesce(…, 'pass')` and `if(…, …, 'pass')` with it: a null
  would fall into it, and a missing value would pass.

What is judged is the text as it will run: inside `select * from ( … )`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from annexa.assess.functions import CLOCKS_AND_USERS, EXACT, ORDERED, SCALARS, TABLES, words
from annexa.errors import CheckError

_LONGEST = 100_000
_CLASSES = words("""
    BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA OPERATOR PARAMETER STAR
    SUBQUERY TYPE WINDOW
""")
_NODES = words("""
    SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY
    ORDER_MODIFIER LIMIT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ORDER_ASCENDING ORDER_DESCENDING
    ASCENDING DESCENDING
""")
_AGGREGATES = EXACT | ORDERED
_CALLABLE = SCALARS | _AGGREGATES


@dataclass(frozen=True, slots=True)
class Approved:
    """SQL that passed.

    Args:
        sql: The text, to be put between parentheses on lines of its own.
        tables: The declared tables that it reads: the lineage of its rows.
        params: The parameters that it names.
        parallel: Whether the answer is the same, to the last bit, however many threads compute it.
    """

    sql: str
    tables: frozenset[str]
    params: frozenset[str]
    parallel: bool


def approve(
    con: Any, sql: str, *, tables: Collection[str], params: Collection[str], verdicts: bool = False
) -> Approved:
    """Let SQL pass, or say why not.

    Args:
        con: Any DuckDB connection; only its parser is used.
        sql: The text.
        tables: Names that it may read.
        params: Names that it may bind.
        verdicts: Whether it gives verdicts, so that `else 'pass'` matters.

    Raises:
        CheckError: It is refused: what, why, and what is allowed.
    """
    text = sql.strip().removesuffix(";").rstrip()
    _require_one_select(con, text)
    walk = _Walk(frozenset(name.lower() for name in tables), frozenset(params), verdicts)
    try:
        walk.node(_tree(con, text), frozenset())
    except RecursionError as problem:
        raise CheckError("refused: the SQL is nested too deeply") from problem
    if not walk.read:
        raise CheckError(f"refused: it reads none of the declared tables ({_list(tables)})")
    return Approved(text, frozenset(walk.read), frozenset(walk.bound), not walk.ordered)


def _require_one_select(con: Any, text: str) -> None:
    import duckdb

    if len(text) > _LONGEST:
        raise CheckError(f"refused: {len(text)} characters of SQL, at most {_LONGEST} are read")
    try:
        statements = con.extract_statements(text)
    except duckdb.Error as problem:
        raise CheckError(f"the SQL cannot be parsed: {_first_line(problem)}") from problem
    if len(statements) != 1:
        raise CheckError(f"refused: {len(statements)} statements; exactly one SELECT is allowed")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise CheckError(f"refused: a statement of type {statements[0].type.name}; exactly one SELECT is allowed")


def _tree(con: Any, text: str) -> Any:
    import duckdb
    import msgspec

    try:
        row = con.execute("select json_serialize_sql($sql)", {"sql": f"select * from (\n{text}\n)"}).fetchone()
    except duckdb.Error as problem:
        raise CheckError(f"the SQL cannot be parsed: {_first_line(problem)}") from problem
    tree = msgspec.json.decode(row[0])
    if tree["error"]:
        raise CheckError(f"refused: {tree['error_message']}")
    if len(tree["statements"]) != 1:
        raise CheckError("refused: exactly one SELECT is allowed")
    return tree["statements"][0]["node"]


@dataclass(slots=True)
class _Walk:
    """Visits every node of the tree with the CTEs that are in sight there."""

    tables: frozenset[str]
    params: frozenset[str]
    verdicts: bool
    read: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    ordered: bool = False

    def node(self, node: Any, ctes: frozenset[str]) -> None:
        """One node: an object is judged, then its parts; a list is its parts."""
        if isinstance(node, list):
            for part in node:
                self.node(part, ctes)
        elif isinstance(node, dict):
            ctes = self._ctes(node, ctes)
            for name, part in self._judged(node, ctes):
                self.node(part, self._sight(node, name, ctes))

    def _ctes(self, node: dict[str, Any], ctes: frozenset[str]) -> frozenset[str]:
        """Visit the WITH clause: each CTE sees those before it, and itself only in the recursive part."""
        for entry in node.get("cte_map", {}).get("map", ()):
            self.node(entry["value"], ctes)
            ctes |= {entry["key"].lower()}
        return ctes

    def _sight(self, node: dict[str, Any], part: str, ctes: frozenset[str]) -> frozenset[str]:
        if node.get("type") == "RECURSIVE_CTE_NODE" and part == "right":
            return ctes | {node["cte_name"].lower()}
        return ctes

    def _judged(self, node: dict[str, Any], ctes: frozenset[str]) -> Iterator[tuple[str, Any]]:
        """Judge the node itself; gives the parts that are still to be visited."""
        done = {"cte_map"}
        if "class" in node:
            self._expression(node)
        elif isinstance(node.get("type"), str):
            self._node_type(node)
            if node["type"] == "BASE_TABLE":
                self._table(node, ctes)
            elif node["type"] == "TABLE_FUNCTION":
                self._table_function(node["function"])
                self.node(node["function"]["arguments"], ctes)
                done.add("function")
        return ((name, part) for name, part in node.items() if name not in done)

    def _node_type(self, node: dict[str, Any]) -> None:
        kind = node["type"]
        if kind not in _NODES:
            raise CheckError(f"refused: {kind.removesuffix('_NODE')} is not part of a plain SELECT")
        if node.get("sample") is not None:
            raise CheckError("refused: a sample gives other rows each time")
        if kind == "LIMIT_MODIFIER" or (kind == "DISTINCT_MODIFIER" and node["distinct_on_targets"]):
            self.ordered = True

    def _table(self, node: dict[str, Any], ctes: frozenset[str]) -> None:
        name = node["table_name"].lower()
        if node["schema_name"] or node["catalog_name"] or node["at_clause"] or len(node["qualified_name"]["path"]) != 1:
            raise CheckError(f"refused: tables are named without schema or catalog, unlike {node['table_name']!r}")
        if name in ctes:
            return
        if name not in self.tables:
            raise CheckError(
                f"refused: table {node['table_name']!r} is not declared; declared are {_list(self.tables)}",
                remedy="Add the table to `requires` (a feed: to `also`), or correct its name.",
            )
        self.read.add(name)

    def _table_function(self, function: dict[str, Any]) -> None:
        name = function["function_name"].lower()
        if name not in TABLES or function["schema"] or function["catalog"]:
            raise CheckError(f"refused: {name}() as a table; allowed are {_list(TABLES)}")

    def _expression(self, node: dict[str, Any]) -> None:
        kind = node["class"]
        if kind not in _CLASSES:
            raise CheckError(f"refused: an expression of class {kind}")
        if kind in ("FUNCTION", "WINDOW"):
            self._function(node)
        elif kind == "COLUMN_REF":
            self._column(node["column_names"])
        elif kind == "PARAMETER":
            self._parameter(node["identifier"])
        if self.verdicts and _falls_into_pass(node):
            raise CheckError(
                "refused: else 'pass' (or coalesce or if that ends so): where the tested value is null, it would pass",
                remedy="Name the case that passes: when … then 'pass', and let everything else be 'fail' or 'error'.",
            )

    def _function(self, node: dict[str, Any]) -> None:
        name = node["function_name"].lower()
        if name not in _CALLABLE or node["schema"] or node["catalog"]:
            raise CheckError(
                f"refused: function {name}() is not on the list of functions that give the same answer each time",
                remedy="Use $as_of for the time. Allowed are functions of text, numbers, times, lists and JSON, "
                "aggregates and windows: annexa/assess/functions.py lists them.",
            )
        if name in ORDERED or node["class"] == "WINDOW":
            self.ordered = True

    def _column(self, names: list[str]) -> None:
        if len(names) == 1 and names[0].lower() in CLOCKS_AND_USERS:
            raise CheckError(
                f"refused: {names[0]} depends on when and by whom it runs",
                remedy="Use $as_of for the time; if it is a column, write its table before it.",
            )

    def _parameter(self, name: str) -> None:
        if name not in self.params:
            raise CheckError(f"refused: ${name} is not a parameter; there are {_list(f'${p}' for p in self.params)}")
        self.bound.add(name)


def _falls_into_pass(node: dict[str, Any]) -> bool:
    if node["class"] == "CASE":
        return _is_pass(node["else_expr"])
    if node["type"] == "OPERATOR_COALESCE":
        return _is_pass(node["children"][-1])
    if node["class"] == "FUNCTION" and node["function_name"].lower() in ("if", "switch"):
        arguments = node["arguments"]
        return bool(arguments) and _is_pass(arguments[-1]["expression"])
    return False


def _is_pass(node: Any) -> bool:
    """Whether an expression is the text 'pass', casts aside."""
    while isinstance(node, dict) and node["class"] == "CAST":
        node = node["child"]
    if not isinstance(node, dict) or node["class"] != "CONSTANT":
        return False
    text = node.get("literal", {}).get("text")
    return isinstance(text, str) and text.strip().lower() == "pass"


def _list(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]
