# Row 8: every item raises; a try around each next. chunksize stays 1: a larger one loses the rest of its chunk.
import sys
from multiprocessing import Pool


def throws(item):
    raise ValueError(f"no luck with {item}")


if __name__ == "__main__":
    failed = 0
    with Pool(2) as pool:
        results = pool.imap(throws, range(int(sys.argv[1])))
        while True:
            try:
                next(results)
            except StopIteration:
                break
            except ValueError:
                failed += 1
    print(failed, "failed", file=sys.stderr)
