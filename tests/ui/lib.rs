//! Empty: the cases beside this file are compiled by the test.
