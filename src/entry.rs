//! The entry points: every function of ours that PostgreSQL calls by name.
//!
//! `sql/` names each symbol as text; this file names the Rust function behind it. Some functions
//! work row by row, or call back into PostgreSQL from frames without destructors: their symbols are
//! exported as they are ([`natives!`]). All others are `#[pg_extern]` functions, for which pgrx
//! exports `NAME_wrapper` ([`wrapped!`]).

use crate::{audit, enforce, manage, review, roles, selftest, store, watch};
use pg::{natives, workers};

/// The compiler checks that each of these functions exists. `make lint` checks that none is missing
/// here.
macro_rules! wrapped {
    ($($function:path;)*) => {
        $(const _: () = { #[allow(unused_imports)] use $function; };)*
    };
}

natives! {
    verdict_guard_row, pg_finfo_verdict_guard_row => enforce::guard_row;
    verdict_follow_leaf, pg_finfo_verdict_follow_leaf => store::leaf_making::follow;
    verdict_invalidate, pg_finfo_verdict_invalidate => watch::invalidate;
    verdict_record, pg_finfo_verdict_record => store::sql::record;
    verdict_record_no_answer, pg_finfo_verdict_record_no_answer => store::sql::record_no_answer;
    verdict_approve, pg_finfo_verdict_approve => store::sql::approve;
    verdict_deny, pg_finfo_verdict_deny => store::sql::deny;
    verdict_revoke, pg_finfo_verdict_revoke => store::sql::revoke;
    verdict_status, pg_finfo_verdict_status => store::status::status;
    guard_wrapper, pg_finfo_guard_wrapper => watch::outdated;
    alter_guard_wrapper, pg_finfo_alter_guard_wrapper => watch::outdated;
    verdict_watch_ddl, pg_finfo_verdict_watch_ddl => watch::events::command_ended;
    verdict_watch_drop, pg_finfo_verdict_watch_drop => watch::events::dropped;
    verdict_watch_rewrite, pg_finfo_verdict_watch_rewrite => watch::events::rewriting;
    verdict_release, pg_finfo_verdict_release => review::decision::release;
    verdict_refuse, pg_finfo_verdict_refuse => review::decision::refuse;
    verdict_explain_row, pg_finfo_verdict_explain_row => audit::explain::explain_row;
    verdict_explain_value, pg_finfo_verdict_explain_value => audit::explain::explain_value;
}

wrapped! {
    audit::explain::relation_of;
    audit::reconcile::flag_leaks;
    audit::reconcile::reconcile;
    manage::alter::change_guard;
    manage::glass::break_glass;
    manage::glass::restore_glass;
    manage::guard::forget;
    manage::guard::put_guard;
    manage::guard::unguard;
    manage::rehome::rehome;
    manage::rehome::rename;
    manage::repair::repair;
    roles::grant_role;
    roles::revoke_role;
    review::bulk::refuse_all;
    review::bulk::release_all;
    review::settle::settle;
    selftest::self_test;
    store::hooks::alter_hook;
    store::hooks::create_hook;
    store::hooks::drop_hook;
    store::retire::retire;
    store::status::parse;
    watch::coverage::coverage_guards;
}

workers! {
    verdict_leaf_worker => store::leaf_worker::work;
}
