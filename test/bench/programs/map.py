# Row 3: Pool.map of so many integers, after start-up. Prints milliseconds.
import sys
import time
from multiprocessing import Pool


def increment(n):
    return n + 1


if __name__ == "__main__":
    count = int(sys.argv[1])
    with Pool(2) as pool:
        items = list(range(count))
        pool.map(increment, items[: count // 100])
        began = time.perf_counter()
        results = pool.map(increment, items)
        print((time.perf_counter() - began) * 1000)
        assert len(results) == count
