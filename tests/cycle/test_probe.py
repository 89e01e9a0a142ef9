import time, cProfile, pstats
from tests.cycle.estate import Estate
def test_probe(ltd: Estate) -> None:
    ltd.scan()
    t=time.process_time(); w=time.time()
    p=cProfile.Profile(); p.enable(); b = ltd.scan(); p.disable()
    print('cpu', time.process_time()-t, time.time()-w)
    pstats.Stats(p).sort_stats('cumulative').print_stats(60)
