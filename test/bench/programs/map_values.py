# Rows 3b and 3c: Pool.map of objects or strings, after start-up. Prints milliseconds.
import sys
import time
from multiprocessing import Pool


def identity(item):
    return item


def make(kind, n):
    if kind == "strings":
        return f"item {n}"
    return {"id": n, "name": f"item {n}", "score": n % 1000, "active": n % 2 == 0, "ratio": n / 7}


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    with Pool(2) as pool:
        items = [make(kind, n) for n in range(count)]
        pool.map(identity, items[: count // 100])
        began = time.perf_counter()
        results = pool.map(identity, items)
        print((time.perf_counter() - began) * 1000)
        assert len(results) == count
