"""The full form, started by scripts/test-races: many operations at every level, then every weakened protocol until it shows.

    full.py BIN-DIR RUN-DIR [--operations N] [--seed N] [--level L] [--weaken W] [--pause MICROSECONDS] [--two-phase SHARE] [--batch N]
"""

import argparse
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from harness.cluster import Clusters  # noqa: E402
from races.race import CONF, LEVELS, MIXED, WEAKNESSES, Knobs, Race  # noqa: E402
from races.schema import TABLES  # noqa: E402

HEAD = ("level", "protocol", "operations", "ops/s", "commits", "aborted", "2PC", "messages", "flagged", "held", "VD…", "40001", "40P01", "55P03", "57014", "crashes", "anomalies", "none")


def arguments():
    parser = argparse.ArgumentParser(prog="make test-races ARGS=…", description="the full form of the race checker")
    parser.add_argument("bin_dir")
    parser.add_argument("run_dir")
    parser.add_argument("--operations", type=int, default=100_000, help="at each level")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--level", choices=(*LEVELS, MIXED), help="only this one")
    parser.add_argument("--weaken", choices=("", *WEAKNESSES), help="only this protocol ('': the real one)")
    parser.add_argument("--pause", type=int, default=Knobs.pause, help="most microseconds between look-up and lock")
    parser.add_argument("--two-phase", type=float, default=Knobs.two_phase, help="share of transactions that are prepared")
    parser.add_argument("--batch", type=int, default=Knobs.batch, help="operations on the same subjects")
    return parser.parse_args()


def row(race):
    counts, knobs = race.counts, race.knobs
    findings = sum(n for state, n in counts.items() if state.startswith("VD"))
    stored = race.model.counts
    return (
        knobs.level, knobs.weaken or "real", counts["operations"], round(counts["operations"] / race.seconds), race.model.commits,
        counts["aborted"], counts["prepared, committed"] + counts["prepared, rolled back"], sum(stored[name] for name in TABLES),
        stored["flagged"], counts["held"] + counts["released"] + counts["refused"], findings, counts["40001"], counts["40P01"], counts["55P03"], counts["57014"], counts["crashes"],
        ", ".join(f"{kind} {n}" for kind, n in race.broken().items()) or 0, race.model.anomalies["loose"])


def show(rows):
    cells = [[str(cell) for cell in line] for line in (HEAD, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.rjust(width) if i > 1 else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths))))


def main():
    args = arguments()
    protocols = ("", *WEAKNESSES) if args.weaken is None else (args.weaken,)
    rows, failures = [], []
    clusters = Clusters({"hooks": args.bin_dir}, args.run_dir, "psql")
    try:
        cluster = clusters.make("hooks", CONF)
        for weaken in protocols:
            for level in [args.level] if args.level else LEVELS if weaken else (*LEVELS, MIXED):
                knobs = Knobs(level, weaken, args.seed, args.pause, args.two_phase, batch=args.batch)
                with Race(cluster, knobs) as race:
                    failures += failure(race, args.operations)
                    print(race.report(), flush=True)
                    rows.append(row(race))
                cluster.clean()
    finally:
        clusters.remove_all()
    print()
    show(rows)
    print("\nnone: what got through the guard with locking => 'none', which promises nothing")
    print(f"seed {args.seed};", f"{len(failures)} failures" if failures else "as it should be")
    for what in failures:
        print(f"FAILED: {what}")
    return 1 if failures else 0


def failure(race, operations):
    name = f"{race.knobs.level}, {race.knobs.weaken or 'the real protocol'}: "
    if race.knobs.weaken:
        kind = WEAKNESSES[race.knobs.weaken]
        if not race.until(lambda anomalies: anomalies[kind], operations):
            yield name + f"the checker has found nothing that is {kind}"
        return
    race.run(operations)
    race.crash(5)
    if race.broken():
        yield name + f"anomalies {race.broken()}"
    if race.knobs.pause and not race.model.anomalies["loose"]:
        yield name + "the checker has found none where the guard takes no lock"


def end(signum, frame):
    raise KeyboardInterrupt  # so that the server is ended


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    sys.exit(main())
