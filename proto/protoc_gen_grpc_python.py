"""The generator of gRPC for Python that grpcio-tools carries, as a plugin that buf can start."""

import pathlib
import sys
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from grpc_tools import protoc


def main() -> None:
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        out.mkdir()
        contracts = pathlib.Path(folder, "contracts.binpb")
        files = descriptor_pb2.FileDescriptorSet(file=request.proto_file)
        contracts.write_bytes(files.SerializeToString())
        failed = protoc.main([
            "protoc",
            f"--descriptor_set_in={contracts}",
            f"--grpc_python_out={out}",
            *request.file_to_generate,
        ])
        if failed:
            response.error = "grpc_tools.protoc failed"
        for path in sorted(out.rglob("*.py")):
            response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    sys.stdout.buffer.write(response.SerializeToString())


main()
