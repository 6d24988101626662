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
        what: &str,
        exist: &str,
    ) {
        for &value in all {
            assert_eq!(value.to_string().parse(), Ok(value));
            assert!(value.to_string().to_uppercase().parse::<T>().is_err());
        }
        let error = "no\0".parse::<T>().expect_err("unknown").to_string();
        let expected = format!("unknown {what} \"no\u{fffd}\" (available values: {exist})");
        assert_eq!(error, expected);
    }
    check(
        Action::ALL,
        "action",
        "allow, flag, discard, quarantine, reject",
    );
    check(Locking::ALL, "locking", "share, consume, none");
    check(Mode::ALL, "mode", "enforce, observe");
    check(Edits::ALL, "edits", "enforce, refuse, allow");
    check(Legacy::ALL, "legacy", "enforce, allow");
    check(ReplicaRole::ALL, "replica_role", "client, apply");
    check(
        Finding::ALL,
        "finding",
        "missing, denied, failed, expired, altered, reused, revoked",
    );
    check(
        Via::ALL,
        "via",
        "record, record_no_answer, approve, deny, revoke, release, refuse, self_test",
    );
    check(HeldState::ALL, "state", "held, released, refused");
    check(
        DriftDone::ALL,
        "drift",
        "weakened, detached, table_dropped, renamed, rehomed, risk",
    );
    check(Dialect::ALL, "dialect", "openim");
    check(NoAnswer::ALL, "cause of no answer", "timeout, transport");
    check(
        Cause::ALL,
        "cause",
        "timeout, transport, http_status, malformed, callback_error, contradictory",
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
            "unknown outcome \"allowed\" (available values: approved, denied, failed)",
        ),
        (
            "failed",
            Some("bad"),
            "unknown cause \"bad\" \
             (available values: timeout, transport, http_status, malformed, callback_error, \
             contradictory)",
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
