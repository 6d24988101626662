//! What fuzzing has found so far still holds: each file of the corpus, run once.

use std::fs;
use std::path::Path;

use verdict_fuzz::TARGETS;

/// All corpora together stay small enough for a repository: files, and bytes.
const FILES_CAP: usize = 2000;
const BYTES_CAP: usize = 1_000_000;

#[test]
fn every_file_of_the_corpus_holds() {
    let (mut files, mut bytes) = (0, 0);
    for (name, check) in TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(name);
        let mut here = 0;
        for entry in fs::read_dir(directory).expect("a corpus") {
            let path = entry.expect("a file").path();
            println!("{}", path.display()); // the last one printed is the one that panics
            let data = fs::read(&path).expect("a file");
            check(&data);
            here += 1;
            bytes += data.len();
        }
        assert!(here >= 20, "the corpus of {name} has {here} files");
        files += here;
    }
    assert!(
        files <= FILES_CAP && bytes <= BYTES_CAP,
        "{files} files, {bytes} bytes"
    );
}
