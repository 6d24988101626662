//! From a row to a finding: its facts, its verdict, and which updates are judged again.

pub mod case;
pub mod facts;
pub mod flag;
pub mod judgement;
pub mod legacy;
pub mod rejudge;
