"""What an ORM makes of rows that a guard refuses, flags, or leaves out of their statement (docs/actions.md)."""

import pytest
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.orm import exc

ACTIONS = ("reject", "flag", "quarantine", "discard")


class Base(orm.DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    client_id: orm.Mapped[str]
    body: orm.Mapped[str]
    status: orm.Mapped[int] = orm.mapped_column(default=1)


@pytest.fixture(params=ACTIONS)
def guarded(request, cluster, db):
    action = request.param
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: cluster.connect(db, autocommit=False))
    Base.metadata.create_all(engine)
    cluster.psql(f"""
        SELECT verdict.create_hook('h', subject => '/id', fields => '{{"body":"/body"}}');
        SELECT verdict.guard('messages', 'h', key => 'client_id', content => '{{"body":"body"}}', on_denied => '{action}',
            on_altered => '{action}', flag_column => 'status', flag_value => '3');
        SELECT verdict.approve('h', 'a' || i, '{{"body":"hi"}}') FROM generate_series(1, 3) AS i;
        SELECT verdict.deny('h', 'd', 5001, 'no spam');
    """, db)
    yield action, engine, lambda sql: cluster.psql(sql, db)
    engine.dispose()


def stored(engine, *messages):
    """Stores the objects in one transaction; what that raised."""
    with orm.Session(engine) as session:
        session.add_all(messages)
        try:
            session.commit()
        except (exc.FlushError, exc.StaleDataError, sqlalchemy.exc.DatabaseError) as error:
            session.rollback()
            return error
    return None


def check_left_out_is_undone(query):
    """The ORM misses its row and rolls back, and what was held goes with it."""
    assert query("SELECT count(*) FROM messages WHERE client_id = 'd'") == "0"
    assert query("SELECT count(*) FROM verdict.quarantine") == "0"
    assert query("SELECT count(*) FROM verdict.incidents") == "0"


def test_one_denied_object(guarded):
    action, engine, query = guarded
    error = stored(engine, Message(client_id="d", body="hi"))
    if action == "reject":
        assert isinstance(error, sqlalchemy.exc.DatabaseError) and "VD002" in str(error)
    elif action == "flag":
        assert error is None
        assert query("SELECT client_id, status FROM messages") == "d|3"
    else:
        assert isinstance(error, exc.FlushError)
        check_left_out_is_undone(query)


def test_three_objects_one_of_them_denied(guarded):
    action, engine, query = guarded
    error = stored(engine, Message(client_id="a1", body="hi"), Message(client_id="d", body="hi"), Message(client_id="a2", body="hi"))
    rows = query("SELECT client_id, status FROM messages ORDER BY client_id")
    if action == "reject":
        assert isinstance(error, sqlalchemy.exc.DatabaseError) and "VD002" in str(error)
        assert rows == ""
    elif action == "flag":
        assert error is None
        assert rows == "a1|1\na2|1\nd|3"
    else:
        assert error is not None
        assert rows == ""
        check_left_out_is_undone(query)


def test_a_changed_object(guarded):
    action, engine, query = guarded
    assert stored(engine, Message(client_id="a1", body="hi")) is None
    with orm.Session(engine) as session:
        message = session.scalars(sqlalchemy.select(Message)).one()
        message.body = "changed"
        if action == "reject":
            with pytest.raises(sqlalchemy.exc.DatabaseError, match="VD005"):
                session.commit()
        elif action == "flag":
            session.commit()
        else:
            with pytest.raises(exc.StaleDataError):
                session.commit()
    expected = {"flag": "a1|changed|3"}.get(action, "a1|hi|1")
    assert query("SELECT client_id, body, status FROM messages") == expected
    assert query("SELECT count(*) FROM verdict.quarantine") == "0"
