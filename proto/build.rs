//! Compiles the contracts with protox: no protoc on any machine.

use std::path::{Path, PathBuf};
use std::{env, error, fs, io};

use prost::Message;
use protox::Compiler;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by the environment"
)]
fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed=campus");
    println!("cargo::rerun-if-changed=third_party");

    let mut files = Vec::new();
    collect(Path::new("campus"), &mut files)?;
    files.sort();

    let mut compiler = Compiler::new(["third_party", "."])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    // Only reached through Any and headers, so no contract imports them; reflection needs them.
    compiler.open_file("third_party/google/rpc/error_details.proto")?;
    compiler.open_file("third_party/google/rpc/status.proto")?;

    // The encoded set keeps custom options such as google.api.http, which the decoded one loses.
    let encoded = compiler.encode_file_descriptor_set();
    let bare = compiler
        .include_source_info(false)
        .encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), bare)?;
    fs::write(out.join("documented.bin"), &encoded)?;

    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .bytes(".")
        // A message has one encoding: a repeated request is known by its hash.
        .btree_map(".campus")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(prost_types::FileDescriptorSet::decode(encoded.as_slice())?)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    Ok(())
}
