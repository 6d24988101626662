"""Searches the source for what must not stand in a plain frame or in a callback of PostgreSQL's (CONTRIBUTING.md, "Plain frames").

pgrx turns an error of PostgreSQL's into a panic where one of its own wrappers is called (`pg_sys::something(…)`). A panic must not meet a
frame of C: the server aborts. And an error that is left to jump must not jump over something of Rust's. So in a function that takes a
`PlainFrame`, and in every callback, C that may raise is called by our own declarations (crates/pg/src/frame/native.rs), and what allocates or may panic
stands inside of `plain.step(…)`, which a callback does not even have."""

import re
import sys
from pathlib import Path

# C that raises nothing, whatever happens, or that no error can meet: look-ups in the backend's own memory.
RAISES_NOTHING = {"IsLogicalWorker", "InNoForceRLSOperation"}
ON_RUSTS_HEAP = re.compile(r"\b(?:format!|vec!|String::|Vec::|Box::|Rc::|CString::|PgTryBuilder|pg_guard_ffi_boundary)|\.to_owned\(|\.to_string\(|\.collect\(|\.unwrap\(|\.expect\(")
WRAPPED = re.compile(r"\bpg_sys::([A-Za-z_]\w*)\(")
FUNCTION = re.compile(r"(?:pub(?:\([a-z]+\))? )?(?:const )?(?:unsafe )?(extern \"C-unwind\" )?fn (\w+)")


def close(text, at, pair="()"):
    """Where the bracket that opens at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    return len(text)


def blank(text, spans):
    for start, end in spans:
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text


def stripped(text):
    """Without comments and strings, and without what runs inside a step or behind a boundary of its own."""
    text = re.sub(r"//[^\n]*", lambda m: " " * len(m[0]), text)
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: m[0] if m[0] == '"C-unwind"' else '"' + " " * (len(m[0]) - 2) + '"', text)


def complaints(path):
    text = stripped(path.read_text())
    macros = [(m.start(), close(text, m.end() - 1, "{}")) for m in re.finditer(r"macro_rules! \w+ \{", text)]
    text = blank(text, macros)
    found = []
    looked_at = 0
    for function in FUNCTION.finditer(text):
        signature_end = text.find("{", function.end())
        if signature_end < 0 or ";" in re.sub(r"\[[^]]*\]", "", text[function.end():signature_end]):
            continue  # a declaration
        signature = text[function.end():signature_end]
        is_callback = bool(function[1])
        if not is_callback and not re.search(r"_?plain: PlainFrame\b", signature):
            continue
        looked_at += 1
        body = text[signature_end:close(text, signature_end, "{}")]
        steps = r"pgrx_extern_c_guard\(" if is_callback else r"(?:\.step|\bcatching_longjmp|\bcallback|pgrx_extern_c_guard)\("
        body = blank(body, [(m.start(), close(body, m.end() - 1)) for m in re.finditer(steps, body)])
        line = text[:signature_end].count("\n") + 1
        for call in WRAPPED.finditer(body):
            if call[1] not in RAISES_NOTHING and not call[1].isupper():
                found.append((line + body[:call.start()].count("\n"), function[2], f"pg_sys::{call[1]} is pgrx's wrapper: declare it in native.rs"))
        if is_callback and "pg_guard" not in text[max(0, function.start() - 60):function.start()]:
            for call in ON_RUSTS_HEAP.finditer(body):
                found.append((line + body[:call.start()].count("\n"), function[2], f"{call[0]} in a callback: it may panic, or be jumped over"))
    return looked_at, [f"{path}:{line}: in {name}: {what}" for line, name, what in found]


if __name__ == "__main__":
    files = [complaints(path) for path in sorted([*Path("src").rglob("*.rs"), *Path("crates/pg").rglob("*.rs")])]
    wrong = [complaint for _, found in files for complaint in found]
    print("\n".join(wrong))
    # A search that finds no frames to look at has searched nothing.
    sys.exit(bool(wrong) or sum(count for count, _ in files) < 100)
