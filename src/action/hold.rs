//! Holding a row: everything that is needed to store it one day, in `verdict.quarantine`.

use crate::guard::cache;
use crate::guard::info::CachedGuard;
use crate::guard::info::{GuardInfo, WritableColumn};
use crate::judge::case::Case;
use pg::columns::{self, RowSlot};
use pg::leaf::LockOutcome;
use pg::own_table::Value;
use pg::plain::{PlainFrame, catching_longjmp};
use pg::report::Report;
use pg::row_text::{self, ColumnText};
use pg::span::Span;
use pg::test_hooks::{self, Pause};
use pg::transaction::Hooks;
use pg::{catalog, clock, identity, lock, memory, own_table, session, table};
use pgrx::pg_sys::{ItemPointerData, TransactionId};
use std::cell::Cell;
use verdict::HeldState;
use verdict::RowHash;

/// The largest row that is held, in bytes of text. PostgreSQL cannot have a value of 1 GiB, and a
/// reviewer no use for it.
pub const ROW_CAP: usize = 256 * 1024 * 1024;

thread_local! {
    /// Whether this transaction holds rows already.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
}

pub const HOOKS: Hooks = Hooks {
    at_end: forget,
    ..Hooks::NONE
};

/// At the end of a transaction.
fn forget() {
    HOLDS.set(false);
}

/// How many bytes of text the row and what it replaces will need at least.
pub fn size(info: &GuardInfo, new: RowSlot, old: Option<RowSlot>) -> usize {
    let size = |row| row_text::size(row, info.table);
    size(new) + old.map_or(0, size)
}

/// Holds the row and returns its id in `verdict.quarantine`. A row that is held already (a client
/// that sends again, a driver that retries) is counted there.
pub fn hold(
    info: &GuardInfo,
    case: &Case,
    new: RowSlot,
    old: Option<RowSlot>,
    plain: PlainFrame,
) -> i64 {
    let hash =
        plain.step(|| cache::with_cached(info, |cached| Ok(content_hash(cached, case, new, old))));
    // Of a row without a subject nothing tells whether it comes again: nobody is kept out.
    let of_this_row = |change: fn(i64, PlainFrame)| {
        if let Some(hash) = hash {
            change(hash, plain);
        }
    };
    of_this_row(lock::enter_held_row);
    let id = loop {
        match plain
            .step(|| cache::with_cached(info, |cached| hold_once(cached, case, hash, new, old)))
        {
            Turn::Held(id) => break id,
            Turn::WaitFor(transaction) => {
                // Not while we keep others out: they may be what it waits for.
                of_this_row(lock::leave_held_row);
                lock::end_of(transaction, plain);
                of_this_row(lock::enter_held_row);
            }
        }
    };
    of_this_row(lock::leave_held_row);
    HOLDS.set(true);
    id
}

/// How an attempt to hold a row went.
#[derive(Clone, Copy)]
enum Turn {
    /// The row's id in `verdict.quarantine`.
    Held(i64),
    /// This transaction is about to hold the same row.
    WaitFor(TransactionId),
}

fn hold_once(
    cached: &CachedGuard,
    case: &Case,
    hash: Option<i64>,
    new: RowSlot,
    old: Option<RowSlot>,
) -> Result<Turn, Report> {
    let leaf = cached.info.table;
    let new = row_text::whole(new, leaf);
    let old_values = old.map(|old| values(row_text::whole(old, leaf)));
    while let Some(hash) = hash {
        match held_already(cached, case, hash, &new, old_values.as_ref())? {
            Already::No => break,
            // Two sessions that store the same row at once: the second waits to see the first
            // one's. But not while it holds rows itself: batches of the same rows in another order
            // would end in a deadlock. At worst a row is held twice.
            Already::HeldBy(_) if HOLDS.get() => break,
            Already::HeldBy(transaction) => return Ok(Turn::WaitFor(transaction)),
            Already::Here(held) => {
                catching_longjmp(|plain| test_hooks::pause(Pause::HolderBeforeCount, plain));
                let counted = own_table::update(
                    "quarantine",
                    held.tid,
                    &[
                        ("times", Value::of(held.times.saturating_add(1))),
                        ("last_at", Value::moment(case.now)),
                    ],
                )?;
                if counted == LockOutcome::Locked {
                    return Ok(Turn::Held(held.id));
                }
                // A reviewer has decided about it at this moment: that was not about this row.
            }
        }
    }
    append(cached, case, hash, new, old_values).map(Turn::Held)
}

/// What a resend is found by: guard, operation, subject, digest, and the values that [`same_given`]
/// compares. `None` for a row without a subject: nothing tells whether another one is the same
/// message.
fn content_hash(
    cached: &CachedGuard,
    case: &Case,
    new: RowSlot,
    old: Option<RowSlot>,
) -> Option<i64> {
    let subject = case.key?.subject;
    let mut hash = RowHash::new(cached.guard.id);
    hash.add(Some(case.operation.as_str().as_bytes()));
    hash.add(Some(subject.bytes()));
    hash.add(case.digest.as_ref().map(|digest| &digest.as_bytes()[..]));
    let mut add = |row, column: &WritableColumn| {
        // What is read for it is given back, column by column.
        memory::scratch(|| {
            let value = catching_longjmp(|plain| columns::fingerprint(row, column.attnum, plain));
            hash.add(value.as_ref().map(Span::bytes));
        });
    };
    for column in cached.columns.iter() {
        if !column.changing {
            add(new, column);
        }
        if let Some(old) = old {
            add(old, column);
        }
    }
    Some(hash.finish())
}

/// Whether the same message is held.
enum Already {
    No,
    Here(HeldAlready),
    /// This transaction has not ended yet.
    HeldBy(TransactionId),
}

struct HeldAlready {
    id: i64,
    times: i32,
    tid: ItemPointerData,
}

type Values = Vec<Option<String>>;

/// The same message is the same guard, operation, subject and digest, and the same values in all
/// columns but those that the table itself gives another value for each row: copies of a message
/// for several users differ in one of those, a resend only in a serial number or a time.
fn held_already(
    cached: &CachedGuard,
    case: &Case,
    hash: i64,
    new: &[ColumnText],
    old_values: Option<&Values>,
) -> Result<Already, Report> {
    let mut found = Already::No;
    table::for_each_by(
        "quarantine",
        ("quarantine_content_hash", "content_hash"),
        hash,
        |row| {
            let digest = case.digest.map(|digest| digest.as_bytes().to_vec());
            let same = row.get("guard_id") == Some(cached.guard.id)
                && row.text("state")? == HeldState::Held.as_str()
                && row.text("operation")? == case.operation.as_str()
                && case.key.is_some_and(|key| {
                    row.get::<String>("subject").as_deref() == Some(key.subject.text())
                })
                && row.get::<Vec<u8>>("digest") == digest
                && row.get::<Values>("old_values").as_ref() == old_values
                && same_given(cached, new, row)?;
            if same {
                found = match (row.written_by(), &found) {
                    // One that is there for sure is better than one that may be rolled back.
                    (Some(_), Already::Here(_)) => return Ok(()),
                    (Some(transaction), _) => Already::HeldBy(transaction),
                    (None, _) => Already::Here(HeldAlready {
                        id: row.required("id")?,
                        times: row.required("times")?,
                        tid: row.tid(),
                    }),
                };
            }
            Ok(())
        },
    )?;
    Ok(found)
}

fn same_given(
    cached: &CachedGuard,
    new: &[ColumnText],
    held: &table::OwnRow,
) -> Result<bool, Report> {
    let is_changing = |name: &str| {
        let place = cached
            .columns
            .binary_search_by(|column| column.name.as_str().cmp(name));
        place.is_ok_and(|place| cached.columns[place].changing)
    };
    let names: Vec<String> = held.required("columns")?;
    let values: Values = held.required("row_values")?;
    Ok(names.len() == new.len()
        && new
            .iter()
            .zip(names.iter().zip(&values))
            .all(|(column, (name, value))| {
                column.name == *name && (column.value == *value || is_changing(name))
            }))
}

fn values(columns: Vec<ColumnText>) -> Values {
    columns.into_iter().map(|column| column.value).collect()
}

fn append(
    cached: &CachedGuard,
    case: &Case,
    hash: Option<i64>,
    columns: Vec<ColumnText>,
    old_values: Option<Values>,
) -> Result<i64, Report> {
    let id = clock::own_next_id("quarantine_id_seq")?;
    let root = catalog::root(cached.info.table);
    let text = Value::text;
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let types: Vec<String> = columns
        .iter()
        .map(|column| column.type_name.clone())
        .collect();
    own_table::append(
        "quarantine",
        &[
            ("id", Value::of(id)),
            ("content_hash", Value::of(hash)),
            ("held_at", Value::moment(case.now)),
            ("last_at", Value::moment(case.now)),
            ("verdict_id", Value::of(case.found.map(|found| found.id))),
            ("guard_id", Value::of(cached.guard.id)),
            ("hook_id", Value::of(cached.guard.hook_id)),
            ("times", Value::of(1)),
            ("state", text(HeldState::Held.as_str())),
            ("guard", text(&cached.guard.name)),
            ("relation", text(&cached.root.to_string())),
            ("relation_schema", text(&cached.root.schema)),
            ("relation_name", text(&cached.root.table)),
            ("relation_oid", Value::of(root)),
            (
                "relation_owner",
                text(&identity::role_name(catalog::owner(root))),
            ),
            ("origin", Value::of(catalog::origin())),
            ("operation", text(case.operation.as_str())),
            ("finding", text(case.finding.as_str())),
            (
                "subject",
                Value::of(case.key.as_ref().map(|key| key.subject.text())),
            ),
            (
                "digest",
                Value::of(case.digest.map(|digest| digest.as_bytes().to_vec())),
            ),
            ("session_role", text(&identity::session_user())),
            (
                "acting_role",
                text(&identity::role_name(identity::current_user())),
            ),
            ("application_name", Value::of(session::application_name())),
            ("client_addr", Value::of(session::client_addr())),
            ("columns", Value::of(names)),
            ("types", Value::of(types)),
            ("row_values", Value::text_array(Some(values(columns)))),
            ("old_values", Value::text_array(old_values)),
        ],
    )?;
    Ok(id)
}
