"""Hostile configurations: each changes that of a good model, and each comes with what the refusal says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.workers.models.model_files import layer_config

Config = dict[str, Any]
ConfigurationChange = Callable[[Config], None]


def _in_place_of_a_layer(class_name: str, package: str | None = None, **arguments: Any) -> ConfigurationChange:
    def change(config: Config) -> None:
        layer = layer_config(config, "bn")
        layer.update(class_name=class_name, module=package, registered_name=class_name)
        layer["config"] = {"name": "bn", **arguments}

    return change


def _activation(module: str, name: str) -> ConfigurationChange:
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return lambda config: layer_config(config, "scores")["config"].update(activation=function)


def _nested(depth: int, calls: int) -> ConfigurationChange:
    """Put models into models, each of which is called `calls` times in the next one."""

    def change(config: Config) -> None:
        base = layer_config(config, "base")
        for level in range(depth):
            outer = copy.deepcopy(base)
            outer["name"] = outer["config"]["name"] = f"level{level}"
            base["inbound_nodes"] = base["inbound_nodes"][:1] * calls
            outer["config"]["layers"] = [*outer["config"]["layers"][:1], base]
            base = outer
        config["config"]["layers"][config["config"]["layers"].index(layer_config(config, "base"))] = base

    return change


def _repeated(count: int) -> ConfigurationChange:
    def change(config: Config) -> None:
        layer = layer_config(config, "bn")
        for number in range(count):
            more = copy.deepcopy(layer)
            more["name"] = more["config"]["name"] = f"bn{number}"
            config["config"]["layers"].append(more)

    return change


def _many_reads(count: int) -> ConfigurationChange:
    def change(config: Config) -> None:
        layer = layer_config(config, "bn")
        (tensor,) = layer["inbound_nodes"][0]["args"]
        layer["inbound_nodes"][0]["args"] = [[tensor] * count]

    return change


_CODE = "brings its own code"
_VOCABULARY = "reads its vocabulary from a file or an address"
_UNKNOWN = "cannot load"
HEAVY = frozenset({"10,000 layers", "a call of 100,000 tensors"})
"""These changes make configurations that take seconds to check while annotations are checked."""
CHANGES: dict[str, tuple[ConfigurationChange, str]] = {
    "Lambda as code": (
        _in_place_of_a_layer("Lambda", "keras.layers", function={"class_name": "__lambda__", "config": {"code": "4wE="}}),
        _CODE,
    ),
    "Lambda by name": (_in_place_of_a_layer("Lambda", "keras.layers", function="os.system"), _CODE),
    "Lambda without a module": (_in_place_of_a_layer("Lambda", function="os.system"), _CODE),
    "TorchModuleWrapper": (_in_place_of_a_layer("TorchModuleWrapper", "keras.layers", module="UEsDBA=="), _CODE),
    "TFSMLayer": (_in_place_of_a_layer("TFSMLayer", "keras.layers", filepath="CANARY"), _CODE),
    "JaxLayer": (_in_place_of_a_layer("JaxLayer", "keras.layers"), _CODE),
    "subprocess": (_in_place_of_a_layer("Popen", "subprocess", args=["touch", "CANARY"]), _UNKNOWN),
    "os": (_in_place_of_a_layer("system", "os"), _UNKNOWN),
    "get_file": (_in_place_of_a_layer("get_file", "keras.utils", fname="x", origin="ADDRESS"), _UNKNOWN),
    "enable_unsafe_deserialization": (_in_place_of_a_layer("enable_unsafe_deserialization", "keras.config"), _UNKNOWN),
    "load_model": (_in_place_of_a_layer("load_model", "keras.saving", filepath="CANARY"), _UNKNOWN),
    "a function of subprocess": (_activation("subprocess", "call"), "names the function 'call'"),
    "a function of Keras that loads": (_activation("keras.utils", "get_file"), "names the function 'get_file'"),
    "an activation by its dunder": (_activation("builtins", "__import__"), "names the function '__import__'"),
    "StringLookup": (_in_place_of_a_layer("StringLookup", "keras.layers", vocabulary="CANARY"), _VOCABULARY),
    "IntegerLookup": (_in_place_of_a_layer("IntegerLookup", "keras.layers", vocabulary="ADDRESS"), _VOCABULARY),
    "TextVectorization": (_in_place_of_a_layer("TextVectorization", "keras.layers", vocabulary="ADDRESS"), _VOCABULARY),
    "a lookup in a wrapper": (
        _in_place_of_a_layer(
            "TimeDistributed",
            "keras.layers",
            layer={"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "ADDRESS"}},
        ),
        _VOCABULARY,
    ),
    "10,000 layers": (_repeated(10_000), r"has 100[0-9]{2} layers; at most 2000"),
    "models in models": (_nested(10, 10), r"has [0-9]{11,} layers; at most 2000"),
    "a call of 100,000 tensors": (_many_reads(100_000), "connections between layers; at most 20000"),
}
