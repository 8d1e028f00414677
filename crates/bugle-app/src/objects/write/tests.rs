//! Writing objects.
