//! `verdict.alter_guard`: options without a lock on the table; columns and condition with new triggers.

use super::guard::{Reads, find, install, table_argument, uninstall};
use super::options::Options;
use crate::args;
use crate::pg::sql::{self, or_raise};
use crate::pg::{catalog, identity};
use crate::store::hooks;
use pgrx::{JsonB, pg_extern, pg_sys::Oid};

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)] // the SQL function's own
fn alter_guard(
    relation: Option<Oid>,
    hook: Option<&str>,
    on_missing: Option<&str>,
    on_denied: Option<&str>,
    on_failed: Option<&str>,
    on_expired: Option<&str>,
    on_altered: Option<&str>,
    on_reused: Option<&str>,
    on_revoked: Option<&str>,
    locking: Option<&str>,
    mode: Option<&str>,
    edits: Option<&str>,
    condition: Option<&str>,
) {
    let actions = [
        on_missing, on_denied, on_failed, on_expired, on_altered, on_reused, on_revoked,
    ];
    or_raise((|| {
        let relation = table_argument(relation)?;
        let hook = hooks::by_name(args::required("hook", hook)?)?;
        let guard = find(&relation, &hook)?;
        let options = Options {
            actions,
            locking,
            mode,
            edits,
        }
        .check(false)?;
        let reads = match condition {
            None => None,
            Some(condition) => {
                catalog::tree(relation.oid, pgrx::pg_sys::ShareRowExclusiveLock);
                let key = guard.key.as_ref().map(super::registry::Mapped::written);
                let content = guard
                    .content
                    .iter()
                    .map(|(field, column)| (field.clone(), column.written().into()));
                let content = serde_json::Value::Object(content.collect());
                let content = (!guard.content.is_empty()).then_some(&content);
                // '' takes the condition off.
                let condition = Some(condition).filter(|text| !text.is_empty());
                Some(Reads::check(
                    key.as_deref(),
                    content,
                    condition,
                    &hook,
                    &relation,
                )?)
            }
        };
        let columns = reads
            .as_ref()
            .and_then(|reads| reads.condition.as_ref())
            .map(|found| found.columns.clone());
        let [missing, denied, failed, expired, altered, reused, revoked] = options.actions;
        identity::as_extension_owner(|| {
            sql::run(
                "UPDATE verdict.guards SET
                     on_missing = coalesce($2, on_missing), on_denied = coalesce($3, on_denied),
                     on_failed = coalesce($4, on_failed), on_expired = coalesce($5, on_expired),
                     on_altered = coalesce($6, on_altered), on_reused = coalesce($7, on_reused),
                     on_revoked = coalesce($8, on_revoked), locking = coalesce($9, locking),
                     mode = coalesce($10, mode), edits = coalesce($11, edits),
                     condition = CASE WHEN $12 IS NULL THEN condition ELSE nullif($12, '') END,
                     condition_columns = CASE WHEN $12 IS NULL THEN condition_columns ELSE $13 END
                 WHERE id = $1",
                &[
                    guard.id.into(),
                    missing.into(),
                    denied.into(),
                    failed.into(),
                    expired.into(),
                    altered.into(),
                    reused.into(),
                    revoked.into(),
                    options.locking.into(),
                    options.mode.into(),
                    options.edits.into(),
                    condition.into(),
                    JsonB(serde_json::Value::from(columns.unwrap_or_default())).into(),
                ],
            )
        })?;
        if let Some(reads) = reads {
            uninstall(&relation, guard.id)?;
            install(&relation, guard.id, &reads)?;
        }
        Ok(())
    })());
}
