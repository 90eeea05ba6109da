//! Tests of the system as a whole
