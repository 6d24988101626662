"""python run_in_cluster.py BIN-DIR RUN-DIR PSQL COMMAND…: starts a throw-away server, runs COMMAND with PGHOST, PGPORT, PGUSER and
PGDATABASE pointing to it, ends the server, and ends as COMMAND did."""

import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from harness.cluster import Clusters  # noqa: E402


def main(bin_dir, run_dir, psql, *command):
    def end(signum, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    clusters = Clusters({"plain": bin_dir}, run_dir, psql)
    try:
        return subprocess.run(command, env=clusters.make().client_env()).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        clusters.remove_all()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
