//! Files of any kind in every place.
