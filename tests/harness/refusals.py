"""refusals.py FEATURES: breaks the rules of the house in a scratch copy, one after the other, and each time somebody must say so.

A check that cannot fail checks nothing."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path.cwd()
FEATURES = sys.argv[1]
# The project's own, so that only our crates are compiled again.
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def cargo(*arguments):
    return ["cargo", "check", "--quiet", "--offline", *arguments]


def python(script):
    return [sys.executable, f"tests/harness/{script}.py"]


EXTENSION = cargo("-p", "pg_verdict", "--no-default-features", "--features", FEATURES)
# What is broken: where, what is replaced by what, and who says so in which words.
BROKEN = [
    ("a `mod` line in the wrong place", "src/lib.rs", r"(mod guard;\n)(.*?)(mod watch;\n)", r"\3\2\1", python("floors"), "higher floor"),
    ("two files that name each other", "src/guard/info.rs", r"\Z", "\nuse super::cache as _;\n", python("floors"), "circle"),
    ("an unsafe block outside of crates/pg", "src/args.rs", r"\Z",
     "\npub fn danger() -> u8 {\n    unsafe { std::mem::zeroed() }\n}\n", EXTENSION, "unsafe"),
    ("crates/pg naming a room above it", "crates/pg/src/report.rs", r"\Z", "\nuse pg_verdict::store as _;\n",
     cargo("-p", "pg", "--no-default-features", "--features", FEATURES), "unresolved"),
    ("a finding that nothing decides", "crates/verdict/src/finding.rs", r"( +)(Reused = )", r'\1Novel = "novel",\n\1\2',
     cargo("-p", "verdict"), "Novel"),
    ("a finding without an argument of verdict.guard", "sql/functions/guard.sql", r".*on_reused.*\n", "", python("places"), "guard.sql"),
    ("a finding without a line in the docs", "docs/actions.md", r".*on_reused.*\n|Reused", "", python("places"), "actions.md"),
    ("a wrapper of pgrx's in a plain frame", "src/enforce/after.rs", r"(pub fn updated\([^{]*\{)", r"\1\n    pg_sys::elog_start();",
     python("plain_frames"), "wrapper"),
]


def files():
    listed = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], text=True)
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


failed = 0
with tempfile.TemporaryDirectory() as scratch:
    scratch = Path(scratch)
    for name in files():
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes((ROOT / name).read_bytes())
    for what, name, old, new, command, word in BROKEN:
        path = scratch / name
        whole = path.read_text()
        broken, count = re.subn(old, new, whole, flags=re.S if "lib.rs" in name else 0)
        path.write_text(broken)
        ran = subprocess.run(command, cwd=scratch, env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)}, capture_output=True, text=True)
        path.write_text(whole)
        said = ran.stdout + ran.stderr
        if not count or ran.returncode == 0 or word not in said:
            failed += 1
            print(f"nobody refuses {what} ({' '.join(command)} ended with {ran.returncode}):\n{said[-2000:]}")
sys.exit(bool(failed))
