//! Closed sets of words: read as they are written, and errors that list what exists.

use verdict::{
    Action, Cause, Dialect, DriftDone, Edits, Finding, HeldState, Legacy, Locking, Mode, NoAnswer,
    Outcome, ReplicaRole, UnknownWord, Via,
};

#[test]
fn words_are_read_as_they_are_written_and_errors_list_what_exists() {
    fn check<
        T: std::str::FromStr<Err = UnknownWord>
            + Copy
            + PartialEq
            + std::fmt::Debug
            + std::fmt::Display,
    >(
        all: &[T],
        message: &str,
    ) {
        for &value in all {
            assert_eq!(value.to_string().parse(), Ok(value));
            assert!(value.to_string().to_uppercase().parse::<T>().is_err());
        }
        assert_eq!(
            "no\0".parse::<T>().expect_err("unknown").to_string(),
            message
        );
    }
    check(
        Action::ALL,
        "unknown action \"no\u{fffd}\" (there is: allow, flag, discard, quarantine, reject)",
    );
    check(
        Locking::ALL,
        "unknown locking \"no\u{fffd}\" (there is: share, consume, none)",
    );
    check(
        Mode::ALL,
        "unknown mode \"no\u{fffd}\" (there is: enforce, observe)",
    );
    check(
        Edits::ALL,
        "unknown edits \"no\u{fffd}\" (there is: enforce, refuse, allow)",
    );
    check(
        Legacy::ALL,
        "unknown legacy \"no\u{fffd}\" (there is: enforce, allow)",
    );
    check(
        ReplicaRole::ALL,
        "unknown replica_role \"no\u{fffd}\" (there is: client, apply)",
    );
    check(
        Finding::ALL,
        "unknown finding \"no\u{fffd}\" \
         (there is: missing, denied, failed, expired, altered, reused, revoked)",
    );
    check(
        Via::ALL,
        "unknown via \"no\u{fffd}\" \
         (there is: record, record_no_answer, approve, deny, revoke, release, refuse, self_test)",
    );
    check(
        HeldState::ALL,
        "unknown state \"no\u{fffd}\" (there is: held, released, refused)",
    );
    check(
        DriftDone::ALL,
        "unknown drift \"no\u{fffd}\" \
         (there is: weakened, detached, table_dropped, renamed, rehomed, risk)",
    );
    check(
        Dialect::ALL,
        "unknown dialect \"no\u{fffd}\" (there is: openim)",
    );
    check(
        NoAnswer::ALL,
        "unknown cause of no answer \"no\u{fffd}\" (there is: timeout, transport)",
    );
    check(
        Cause::ALL,
        "unknown cause \"no\u{fffd}\" \
         (there is: timeout, transport, http_status, malformed, callback_error, contradictory)",
    );
}

#[test]
fn outcomes_are_read_from_their_parts() {
    let mut all = vec![Outcome::Approved, Outcome::Denied];
    all.extend(Cause::ALL.iter().map(|&cause| Outcome::Failed(cause)));
    for outcome in all {
        let cause = outcome.cause().map(Cause::as_str);
        assert_eq!(Outcome::from_parts(outcome.as_str(), cause), Ok(outcome));
    }
    for (outcome, cause, message) in [
        ("failed", None, "outcome \"failed\" needs a cause"),
        (
            "denied",
            Some("timeout"),
            "outcome \"denied\" has no cause, but \"timeout\" was given",
        ),
        (
            "approved",
            Some("x"),
            "outcome \"approved\" has no cause, but \"x\" was given",
        ),
        (
            "allowed",
            None,
            "unknown outcome \"allowed\" (there is: approved, denied, failed)",
        ),
        (
            "failed",
            Some("bad"),
            "unknown cause \"bad\" \
         (there is: timeout, transport, http_status, malformed, callback_error, contradictory)",
        ),
    ] {
        assert_eq!(
            Outcome::from_parts(outcome, cause)
                .expect_err("no outcome")
                .to_string(),
            message
        );
    }
}
