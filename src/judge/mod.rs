//! From a row to a finding: the row's facts, its verdict, and which updates are judged again.

pub mod case;
pub mod facts;
pub mod flag;
pub mod judgement;
pub mod legacy;
pub mod rejudge;
