"""The documentation's SQL runs, in order, in an empty database."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# OpenIM's archive, which the README's first guard takes for granted.
CHAT_LOGS = """CREATE TABLE chat_logs (
    server_msg_id char(64) PRIMARY KEY, client_msg_id char(64), send_id char(64), recv_id char(64),
    sender_platform_id int, sender_nick_name varchar(255), sender_face_url varchar(255), session_type int,
    msg_from int, content_type int, content varchar(3000), status int, send_time timestamptz,
    create_time timestamptz, ex varchar(1024));
"""


def blocks(page):
    found = re.findall(r"^```sql\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no SQL"
    return found


@pytest.mark.parametrize("page, before", [("docs/reference.md", ""), ("README.md", CHAT_LOGS)])
def test_every_example_runs(cluster, page, before):
    dbname = cluster.fresh_db(extension=False)
    script = before + "\n".join(blocks(page))
    done = cluster.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", dbname=dbname, input=script)
    assert done.returncode == 0


def test_every_function_is_in_the_reference(cluster):
    dbname = cluster.fresh_db()
    private = {"guard_row", "invalidate", "explain_row", "relation_of"}
    names = cluster.psql(
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'verdict'::regnamespace ORDER BY 1", dbname
    ).split()
    examples = "\n".join(blocks("docs/reference.md"))
    missing = [name for name in names if name not in private and f"verdict.{name}(" not in examples]
    assert names and not missing
