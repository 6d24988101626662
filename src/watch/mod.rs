//! The registry of guards, and how a guard comes, changes and goes.

pub mod alter;
mod coverage;
mod drift;
pub mod events;
pub mod explain;
pub mod glass;
pub mod guard;
pub mod mapping;
mod mending;
pub mod options;
pub mod reads;
pub mod registry;
mod rehome;
mod repair;
mod roles;
mod soft;
mod triggers;
mod whole;

use crate::pg::entry::{Call, Plain};
use crate::pg::{relcache, trigger};
use crate::report::{Report, SqlState};
use pgrx::pg_sys::Datum;

/// `verdict.invalidate()`: AFTER ROW ALWAYS on our configuration tables. A change of theirs, by whatever way it came,
/// makes every backend read them again.
pub fn invalidate(call: Call, plain: Plain) -> Datum {
    plain.step(|| {
        relcache::invalidate(
            call.trigger()
                .ok_or_else(trigger::not_a_row_trigger)?
                .relation(),
        );
        Ok(())
    });
    Datum::null()
}

/// `verdict.guard` and `verdict.alter_guard` of the SQL 0.1.0, which took fewer arguments: their names must be there for
/// pg_upgrade, which makes every function again.
pub fn outdated(_call: Call, plain: Plain) -> Datum {
    plain.step(|| {
        Err(Report::new(
            SqlState::NotInPrerequisiteState,
            "this database has an older version of pg_verdict's SQL than the library",
        )
        .hint("ALTER EXTENSION pg_verdict UPDATE; guards go on enforcing meanwhile."))
    })
}
