"""An ONNX file is checked before onnxruntime sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.workers.models.forward_only_files import assert_refused, load, onnx_model, onnx_net, saved
from workers.models.limits import ModelLimits


def test_values_in_other_files_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    """They would be read from the folder in which the worker runs. A tensor can also stand in a node, or in a graph inside a node."""
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    stored = TensorProto(name="stored", data_type=TensorProto.FLOAT, dims=[4])
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value="secret.bin")

    in_graph = onnx_net()
    in_graph.graph.initializer.append(stored)
    in_node = onnx_net()
    in_node.graph.node.append(helper.make_node("Constant", [], ["unused"], value=stored))
    branch = helper.make_graph([], "branch", [], [helper.make_tensor_value_info("stored", TensorProto.FLOAT, [4])], [stored])
    in_branch = onnx_net()
    in_branch.graph.node.append(helper.make_node("If", ["yes"], ["unused"], then_branch=branch, else_branch=branch))
    in_sparse = onnx_net()
    in_sparse.graph.sparse_initializer.append(onnx.SparseTensorProto(values=stored, dims=[9]))
    for model in (in_graph, in_node, in_branch, in_sparse):
        assert_refused(saved(model, tmp_path / "net.onnx"), "tensor 'stored' keeps its values in another file")


def test_the_recipe_for_values_in_other_files_works(tmp_path: Path) -> None:
    source = tmp_path / "model.onnx"
    onnx.save(onnx_net(), source, save_as_external_data=True, size_threshold=0, location="model.data")
    assert_refused(source, r"Save the model in one file: `onnx.save\(onnx.load\('model.onnx'\), 'whole.onnx'\)`")
    onnx.save(onnx.load(source), tmp_path / "whole.onnx")
    assert load(tmp_path / "whole.onnx").parameters == 24 * 3 + 4 + 4 * 11 * 8 * 5 + 5


def test_operators_of_other_libraries_and_loops_are_refused(tmp_path: Path) -> None:
    foreign, loop = onnx_net(), onnx_net()
    foreign.graph.node.append(helper.make_node("Steal", ["photo"], ["unused"], domain="my.company"))
    assert_refused(saved(foreign, tmp_path / "net.onnx"), "operator 'Steal' of the domain 'my.company'")
    body = helper.make_graph([], "body", [], [])
    loop.graph.node.append(helper.make_node("Loop", ["", ""], ["unused"], body=body))
    assert_refused(saved(loop, tmp_path / "net.onnx"), "operator 'Loop', which may run without an end")


def test_functions_that_the_file_itself_defines_are_allowed_and_checked(tmp_path: Path) -> None:
    """PyTorch's exporter writes such functions."""

    def with_function(operator: str, domain: str = "") -> onnx.ModelProto:
        nodes = [helper.make_node("Twice", ["photo"], ["y"], domain="own")]
        model = onnx_model(nodes, {}, {"photo": ("N", 3, 7, 5)}, {"y": ("N", 3, 7, 5)})
        inside = [helper.make_node(operator, ["x", "x"], ["z"], domain=domain)]
        versions = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
        model.functions.append(helper.make_function("own", "Twice", ["x"], ["z"], inside, versions))
        model.opset_import.append(helper.make_opsetid("own", 1))
        return model

    network = load(saved(with_function("Add"), tmp_path / "net.onnx"))
    image = np.full((1, 7, 5, 3), 3, np.float32)
    np.testing.assert_array_equal(network.run(image, [("y", False)])[0], image * 2)
    assert_refused(saved(with_function("Steal", "my.company"), tmp_path / "net.onnx"), "'Steal' of the domain 'my.company'")


def test_sizes_are_bounded(tmp_path: Path) -> None:
    path = saved(onnx_net(), tmp_path / "net.onnx")
    assert_refused(path, "has 1841 parameters; at most 1840 are allowed", limits=ModelLimits(max_parameters=1840))
    assert_refused(path, r"bytes; at most 99 are allowed", limits=ModelLimits(max_file_bytes=99))
    deep = [helper.make_node("Relu", [f"x{number}"], [f"x{number + 1}"]) for number in range(6)]
    many = onnx_model(deep, {}, {"x0": ("N", 3, 7, 5)}, {"x6": ("N", 3, 7, 5)})
    assert_refused(saved(many, tmp_path / "net.onnx"), "has more than 5 nodes", limits=ModelLimits(max_layers=1))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = onnx_net().SerializeToString()
    for content in (b"", b"no protobuf at all", whole[:50], whole[: len(whole) // 2]):
        assert_refused(saved(content, tmp_path / "net.onnx"), "is not an ONNX file|could not be loaded")
    unknown = onnx_net()
    unknown.graph.node[0].op_type = "Convolve"
    assert_refused(saved(unknown, tmp_path / "net.onnx"), "could not be loaded: .*Convolve")
