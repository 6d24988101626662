//! Holds a row: writes everything that is needed to store it later into `verdict.quarantine`.

use crate::guard::cache;
use crate::guard::info::{CachedGuard, GuardInfo, WritableColumn};
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
use verdict::{HeldState, RowHash};

/// The largest row that is held, in bytes of text. PostgreSQL has no values of 1 GiB or more, and
/// no reviewer can read so large a row.
pub const ROW_CAP: usize = 256 * 1024 * 1024;

thread_local! {
    /// Whether this transaction already holds rows.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
}

pub const HOOKS: Hooks = Hooks {
    at_end: forget,
    ..Hooks::NONE
};

/// Runs at the end of a transaction.
fn forget() {
    HOLDS.set(false);
}

/// How many bytes of text the new row and the old row need at least.
pub fn size(info: &GuardInfo, new: RowSlot, old: Option<RowSlot>) -> usize {
    let size = |row| row_text::size(row, info.table);
    size(new) + old.map_or(0, size)
}

/// Holds the row and returns its id in `verdict.quarantine`. When a client or a driver sends a held
/// row again, the held row is counted up instead.
pub fn hold(
    info: &GuardInfo,
    case: &Case,
    new: RowSlot,
    old: Option<RowSlot>,
    plain: PlainFrame,
) -> i64 {
    let hash =
        plain.step(|| cache::with_cached(info, |cached| Ok(content_hash(cached, case, new, old))));
    // Without a subject, nothing tells whether a row comes again, and so no lock is needed.
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
            Attempt::Held(id) => break id,
            Attempt::WaitFor(transaction) => {
                // Release the lock while waiting: the other transaction may wait for it.
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

/// The result of one attempt to hold a row.
#[derive(Clone, Copy)]
enum Attempt {
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
) -> Result<Attempt, Report> {
    let table = cached.info.table;
    let new = row_text::whole(new, table);
    let old_values = old.map(|old| values(row_text::whole(old, table)));
    while let Some(hash) = hash {
        match held_already(cached, case, hash, &new, old_values.as_ref())? {
            Already::NotHeld => break,
            // Two sessions store the same row at once: the second waits, to see the row of the
            // first. A session that already holds rows does not wait: two batches with the same
            // rows in another order would deadlock. At worst a row is held twice.
            Already::HeldBy(_) if HOLDS.get() => break,
            Already::HeldBy(transaction) => return Ok(Attempt::WaitFor(transaction)),
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
                    return Ok(Attempt::Held(held.id));
                }
                // A reviewer has just decided about the held row. The decision does not cover this
                // row.
            }
        }
    }
    append(cached, case, hash, new, old_values).map(Attempt::Held)
}

/// The hash that finds a resend: of guard, operation, subject, digest, and the values that
/// [`same_given`] compares. `None` for a row without a subject: nothing tells whether another row
/// is the same message.
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
        // Frees the memory of each column's value before the next one.
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
    NotHeld,
    Here(HeldAlready),
    /// This transaction holds the same message, and has not ended yet.
    HeldBy(TransactionId),
}

struct HeldAlready {
    id: i64,
    times: i32,
    tid: ItemPointerData,
}

type Texts = Vec<Option<String>>;

/// Two rows are the same message when they agree in guard, operation, subject, digest, and in all
/// columns except those whose default changes from row to row. Copies of a message for several
/// users differ in another column. A resend differs only in a serial number or a time.
fn held_already(
    cached: &CachedGuard,
    case: &Case,
    hash: i64,
    new: &[ColumnText],
    old_values: Option<&Texts>,
) -> Result<Already, Report> {
    let mut found = Already::NotHeld;
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
                && row.get::<Texts>("old_values").as_ref() == old_values
                && same_given(cached, new, row)?;
            if same {
                found = match (row.written_by(), &found) {
                    // A committed row is preferred: the other one may still be rolled back.
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
    let values: Texts = held.required("row_values")?;
    Ok(names.len() == new.len()
        && new
            .iter()
            .zip(names.iter().zip(&values))
            .all(|(column, (name, value))| {
                column.name == *name && (column.value == *value || is_changing(name))
            }))
}

fn values(columns: Vec<ColumnText>) -> Texts {
    columns.into_iter().map(|column| column.value).collect()
}

fn append(
    cached: &CachedGuard,
    case: &Case,
    hash: Option<i64>,
    columns: Vec<ColumnText>,
    old_values: Option<Texts>,
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
