//! The decision against a naive telling of the rules, over every combination of what it looks at.

use verdict::{
    Action, Actions, Cause, Check, Decision, Digest, Finding, GuardedRow, Outcome, Policy,
    RowDigest, StepAnswer, Terms, Timestamp, Verdict, decide, explain,
};

const NOW: Timestamp = Timestamp(1_000);

fn digest(byte: u8) -> Digest {
    Digest::from_bytes(&[byte; 32]).expect("32 bytes")
}

fn rows() -> Vec<GuardedRow> {
    let digests = [
        RowDigest::Unbound,
        RowDigest::Of(digest(1)),
        RowDigest::Unavailable,
    ];
    [true, false]
        .into_iter()
        .flat_map(|has_subject| {
            digests.map(|digest| GuardedRow {
                has_subject,
                digest,
            })
        })
        .collect()
}

fn verdicts() -> Vec<Option<Verdict>> {
    let mut outcomes = vec![Outcome::Approved, Outcome::Denied];
    outcomes.extend(Cause::ALL.iter().map(|&cause| Outcome::Failed(cause)));
    let moments = [i64::MIN, NOW.0 - 1, NOW.0, NOW.0 + 1, i64::MAX];
    let mut all = vec![None];
    for outcome in outcomes {
        for revoked in [false, true] {
            for expires_at in moments.map(Timestamp) {
                for digest in [None, Some(digest(1)), Some(digest(2))] {
                    for consumed in [false, true] {
                        let id = 7;
                        all.push(Some(Verdict {
                            id,
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
    all
}

fn all_terms() -> [Terms; 4] {
    [(false, false), (false, true), (true, false), (true, true)].map(
        |(failed_continue, consume)| Terms {
            failed_continue,
            consume,
        },
    )
}

fn every_case(mut check: impl FnMut(&GuardedRow, Option<&Verdict>, Terms)) {
    let mut cases = 0;
    for row in rows() {
        for verdict in verdicts() {
            for terms in all_terms() {
                check(&row, verdict.as_ref(), terms);
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 6 * (1 + 8 * 2 * 5 * 3 * 2) * 4);
}

/// The rules from the last to the first: a later line overrules an earlier one.
fn by_the_book(row: &GuardedRow, verdict: Option<&Verdict>, terms: Terms) -> &'static str {
    let Some(verdict) = verdict.filter(|_| row.has_subject) else {
        return "missing";
    };
    let mut word = match verdict.outcome.as_str() {
        "approved" => "approved",
        _ => "failed open",
    };
    if terms.consume && verdict.consumed {
        word = "reused";
    }
    let same_content = match (row.digest, verdict.digest) {
        (RowDigest::Unbound, _) => true,
        (RowDigest::Of(of_row), Some(of_verdict)) => of_row == of_verdict,
        (RowDigest::Of(_), None) | (RowDigest::Unavailable, _) => false,
    };
    if !same_content {
        word = "altered";
    }
    if verdict.expires_at.0 != i64::MAX && NOW.0 >= verdict.expires_at.0 {
        word = "expired";
    }
    if verdict.outcome.as_str() == "denied" {
        word = "denied";
    }
    if verdict.outcome.as_str() == "failed" && !terms.failed_continue {
        word = "failed";
    }
    if verdict.revoked {
        word = "revoked";
    }
    word
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::FailedOpen => "failed open",
        Decision::Found(finding) => finding.as_str(),
    }
}

#[test]
fn every_case_is_decided_by_the_book() {
    let mut seen = std::collections::BTreeSet::new();
    every_case(|row, verdict, terms| {
        let decision = decide(row, verdict, terms, NOW);
        assert_eq!(
            word(decision),
            by_the_book(row, verdict, terms),
            "{row:?} {verdict:?} {terms:?}"
        );
        seen.insert(word(decision));
    });
    assert_eq!(
        seen.len(),
        Finding::ALL.len() + 2,
        "every decision is possible"
    );
}

/// What must hold whatever else does, said without an order of rules.
#[test]
fn nothing_passes_without_a_standing_verdict_for_this_content() {
    every_case(
        |row, verdict, terms| match decide(row, verdict, terms, NOW) {
            Decision::Found(_) => {}
            passed => {
                let verdict = verdict.expect("a verdict");
                assert!(row.has_subject && !verdict.revoked && verdict.outcome != Outcome::Denied);
                assert!(NOW < verdict.expires_at);
                assert!(!(terms.consume && verdict.consumed));
                match row.digest {
                    RowDigest::Unbound => {}
                    RowDigest::Of(digest) => assert_eq!(verdict.digest, Some(digest)),
                    RowDigest::Unavailable => panic!("content without a digest passed"),
                }
                match passed {
                    Decision::Approved => assert_eq!(verdict.outcome, Outcome::Approved),
                    _ => assert!(terms.failed_continue && verdict.outcome.cause().is_some()),
                }
            }
        },
    );
}

#[test]
fn infinity_never_expires_whatever_the_clock_says() {
    let row = GuardedRow {
        has_subject: true,
        digest: RowDigest::Unbound,
    };
    let verdict = Verdict {
        id: 1,
        outcome: Outcome::Approved,
        revoked: false,
        expires_at: Timestamp::INFINITY,
        digest: None,
        consumed: false,
    };
    for now in [i64::MIN, 0, i64::MAX] {
        assert_eq!(
            decide(&row, Some(&verdict), Terms::default(), Timestamp(now)),
            Decision::Approved
        );
    }
}

#[test]
fn the_explanation_is_the_decision() {
    every_case(|row, verdict, terms| {
        let steps = explain(row, verdict, terms, NOW);
        assert_eq!(
            steps.iter().map(|step| step.check).collect::<Vec<_>>(),
            Check::ORDER
        );
        let decision = decide(row, verdict, terms, NOW);
        let no = steps
            .iter()
            .position(|step| matches!(step.answer, StepAnswer::No(_)));
        match (decision, no) {
            (Decision::Found(finding), Some(place)) => {
                assert_eq!(steps[place].answer, StepAnswer::No(finding));
                assert!(
                    steps[..place]
                        .iter()
                        .all(|step| step.answer == StepAnswer::Yes)
                );
                assert!(
                    steps[place + 1..]
                        .iter()
                        .all(|step| step.answer == StepAnswer::NotAsked)
                );
            }
            (Decision::Approved | Decision::FailedOpen, None) => {
                assert!(steps.iter().all(|step| step.answer == StepAnswer::Yes));
            }
            (decision, no) => panic!("{decision:?}, but step {no:?} said no"),
        }
        for step in &steps {
            assert_eq!(
                step.detail.is_empty(),
                step.answer == StepAnswer::NotAsked,
                "{step:?}"
            );
        }
    });
}

#[test]
fn explanations_can_be_read() {
    let row = GuardedRow {
        has_subject: true,
        digest: RowDigest::Of(digest(0xab)),
    };
    let mut verdict = Verdict {
        id: 42,
        outcome: Outcome::Failed(Cause::Timeout),
        revoked: false,
        expires_at: Timestamp(i64::MIN),
        digest: Some(digest(0xcd)),
        consumed: true,
    };
    let terms = Terms {
        failed_continue: true,
        consume: true,
    };
    let details = |verdict: &Verdict, terms: Terms| -> Vec<String> {
        explain(&row, Some(verdict), terms, NOW)
            .into_iter()
            .map(|step| step.detail)
            .collect()
    };
    let found = details(&verdict, terms);
    assert_eq!(found[1], "verdict 42");
    assert_eq!(found[2], "not revoked");
    assert_eq!(
        found[3],
        "outcome failed (timeout); the hook says failed_continue"
    );
    assert_eq!(found[5], "expired 9223372036854.776808 s ago");
    verdict.expires_at = Timestamp(NOW.0 + 1_500_000);
    let found = details(&verdict, terms);
    assert_eq!(found[5], "expires in 1.500000 s");
    assert_eq!(
        found[6],
        format!(
            "the row's digest is {}, the verdict's digest is {}",
            "ab".repeat(32),
            "cd".repeat(32)
        )
    );
    verdict.digest = Some(digest(0xab));
    assert_eq!(details(&verdict, terms)[7], "spent");
    let found = details(&verdict, Terms::default());
    assert_eq!(
        found[3],
        "outcome failed (timeout); the hook does not say failed_continue"
    );
    assert_eq!(found[4], "");
}

#[test]
fn findings_have_the_sqlstates_of_the_design() {
    let pairs: Vec<_> = Finding::ALL
        .iter()
        .map(|finding| (finding.as_str(), finding.sqlstate()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("missing", "VD001"),
            ("denied", "VD002"),
            ("failed", "VD003"),
            ("expired", "VD004"),
            ("altered", "VD005"),
            ("reused", "VD006"),
            ("revoked", "VD007"),
        ]
    );
}

#[test]
fn every_finding_has_an_action_of_its_own() {
    assert_eq!(Actions::default(), Actions::all(Action::Reject));
    for &set in Finding::ALL {
        let mut actions = Actions::default();
        actions.set(set, Action::Allow);
        for &finding in Finding::ALL {
            let expected = if finding == set {
                Action::Allow
            } else {
                Action::Reject
            };
            assert_eq!(actions.get(finding), expected);
        }
    }
    assert_eq!(Policy::default().actions, Actions::default());
}

#[test]
fn the_strongest_action_wins() {
    let by_strength = [
        Action::Allow,
        Action::Flag,
        Action::Discard,
        Action::Quarantine,
        Action::Reject,
    ];
    for (i, stronger) in by_strength.into_iter().enumerate() {
        for weaker in &by_strength[..=i] {
            assert_eq!((*weaker).max(stronger), stronger);
        }
    }
    assert_eq!(
        by_strength.map(Action::is_soft),
        [false, true, true, true, false]
    );
}
