//! Ids, codes and pure rules of hospital follow-up. No IO.
