//! What a guard does for every row allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use verdict::{
    Decision, DigestBuilder, FieldValue, GuardedRow, Outcome, RowDigest, Terms, Timestamp, Verdict,
    decide,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator; counting touches no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn digest_and_decision_of_a_row_allocate_nothing() {
    let long = "x".repeat(1 << 20);
    let before = allocations();
    let mut builder = DigestBuilder::new(5);
    let fields = [
        ("content", FieldValue::String(&long)),
        ("contentType", FieldValue::Integer(101)),
        ("recvID", FieldValue::Null),
        ("sendID", FieldValue::String("6074729403")),
        ("unread", FieldValue::Boolean(false)),
    ];
    for (name, value) in fields {
        assert!(builder.field(name, value).is_ok());
    }
    let digest = builder.finish().ok();
    let row = GuardedRow {
        has_subject: true,
        digest: digest.map_or(RowDigest::Unavailable, RowDigest::Of),
    };
    let verdict = Verdict {
        id: 1,
        outcome: Outcome::Approved,
        revoked: false,
        expires_at: Timestamp::INFINITY,
        digest,
        consumed: false,
    };
    let decision = decide(&row, Some(&verdict), Terms::default(), Timestamp(0));
    assert_eq!(allocations(), before);
    assert_eq!(decision, Decision::Approved);
    drop(vec![0_u8; 1]);
    assert!(allocations() > before, "the counter counts");
}
