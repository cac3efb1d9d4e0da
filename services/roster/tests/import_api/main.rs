//! Imports of whole registers, their faults and their laws, on both databases.

#[path = "../desk/mod.rs"]
mod desk;
mod import_faults;
mod import_laws;
mod imports;
#[path = "../parcel/mod.rs"]
mod parcel;
