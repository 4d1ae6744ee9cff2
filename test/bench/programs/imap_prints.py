# Row 1h: every item prints three lines to stderr, through Pool.imap.
import sys
from multiprocessing import Pool


def work(item):
    print(f"item {item}: started", file=sys.stderr)
    print(f"item {item}: half way through", file=sys.stderr)
    print(f"item {item}: done", file=sys.stderr)
    return item


if __name__ == "__main__":
    with Pool(2) as pool:
        write = sys.stdout.write
        for item in pool.imap(work, range(int(sys.argv[1])), chunksize=250):
            write(f"{item}\n")
