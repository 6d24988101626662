//! `decide` against a table written from the rules: every combination of facts, one decision each.

use verdict::{
    Cause, Decision, Digest, Finding, Outcome, Policy, Recorded, Row, RowDigest, StepAnswer,
    Timestamp, decide, explain,
};

const NOW: Timestamp = Timestamp(1_000_000);

fn digests() -> (Digest, Digest) {
    (
        Digest::from_bytes(&[1; 32]).unwrap(),
        Digest::from_bytes(&[2; 32]).unwrap(),
    )
}

/// Every combination that matters: 2 × (1 + 3 × 2 × 3 × 3 × 2) × 3 × 2 × 2 rows.
fn every_case() -> Vec<(Row, Option<Recorded>, Policy)> {
    let (same, other) = digests();
    let mut verdicts = vec![None];
    for outcome in [
        Outcome::Approved,
        Outcome::Denied,
        Outcome::Failed(Cause::Timeout),
    ] {
        for revoked in [false, true] {
            for expires_at in [
                Timestamp(NOW.0 - 1),
                NOW,
                Timestamp(NOW.0 + 1),
                Timestamp::INFINITY,
            ] {
                for digest in [None, Some(same), Some(other)] {
                    for consumed in [false, true] {
                        verdicts.push(Some(Recorded {
                            id: 7,
                            outcome,
                            revoked,
                            expires_at,
                            digest,
                            consumed,
                        }));
                    }
                }
            }
        }
    }
    let mut cases = Vec::new();
    for has_subject in [false, true] {
        for digest in [
            RowDigest::Unbound,
            RowDigest::Of(same),
            RowDigest::Unavailable,
        ] {
            for verdict in &verdicts {
                for failed_continue in [false, true] {
                    for consume in [false, true] {
                        let policy = Policy {
                            failed_continue,
                            consume,
                            ..Policy::default()
                        };
                        cases.push((
                            Row {
                                has_subject,
                                digest,
                            },
                            *verdict,
                            policy,
                        ));
                    }
                }
            }
        }
    }
    cases
}

/// The rules of the design, in its order, as plainly as they can be written.
fn by_the_rules(row: &Row, verdict: Option<&Recorded>, policy: &Policy) -> Decision {
    let Some(verdict) = verdict.filter(|_| row.has_subject) else {
        return Decision::Found(Finding::Missing);
    };
    let failed = matches!(verdict.outcome, Outcome::Failed(_));
    let findings = [
        (verdict.revoked, Finding::Revoked),
        (failed && !policy.failed_continue, Finding::Failed),
        (verdict.outcome == Outcome::Denied, Finding::Denied),
        (verdict.expires_at.0 <= NOW.0, Finding::Expired),
        (
            match row.digest {
                RowDigest::Unbound => false,
                RowDigest::Of(digest) => verdict.digest != Some(digest),
                RowDigest::Unavailable => true,
            },
            Finding::Altered,
        ),
        (policy.consume && verdict.consumed, Finding::Reused),
    ];
    match findings.into_iter().find(|(holds, _)| *holds) {
        Some((_, finding)) => Decision::Found(finding),
        None if failed => Decision::FailedOpen,
        None => Decision::Approved,
    }
}

#[test]
fn decides_by_the_rules_in_every_case() {
    let cases = every_case();
    assert!(cases.len() > 3_000, "only {} cases", cases.len());
    for (row, verdict, policy) in cases {
        let expected = by_the_rules(&row, verdict.as_ref(), &policy);
        assert_eq!(
            decide(&row, verdict.as_ref(), &policy, NOW),
            expected,
            "{row:?} {verdict:?} {policy:?}"
        );
    }
}

#[test]
fn explains_as_it_decides() {
    for (row, verdict, policy) in every_case() {
        let decision = decide(&row, verdict.as_ref(), &policy, NOW);
        let steps = explain(&row, verdict.as_ref(), &policy, NOW);
        assert_eq!(steps.len(), 8);
        let no = steps.iter().find_map(|step| match step.answer {
            StepAnswer::No(finding) => Some(finding),
            StepAnswer::Yes | StepAnswer::NotAsked => None,
        });
        match decision {
            Decision::Found(finding) => assert_eq!(no, Some(finding)),
            Decision::Approved | Decision::FailedOpen => assert_eq!(no, None),
        }
    }
}
