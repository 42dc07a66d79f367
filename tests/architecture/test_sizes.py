"""Files and functions stay small enough to be read in one go."""

from tests.architecture.source import body_size, modules, size

ALL = ("registry", "policy", "tests")
FILE_LINES = 400
FUNCTION_LINES = 50
TEST_LINES = 15
ROOT_FILES = 13


def test_the_roots_of_the_packages_stay_small() -> None:
    """Both together hold at most 13 files: a new one has its place in a room."""
    roots = [module for module in modules("registry", "policy") if len(module.path.parts) == 2]
    assert len(roots) <= ROOT_FILES


def test_no_file_is_over_400_lines() -> None:
    """The longest file has at most 400 lines."""
    assert [f"{module.path}: {module.lines}" for module in modules(*ALL) if module.lines > FILE_LINES] == []


def test_no_function_is_over_50_lines() -> None:
    """The longest function has at most 50 lines."""
    assert [
        f"{module.path}:{function.lineno} {function.name}: {size(function)}"
        for module in modules(*ALL)
        for function in module.functions()
        if size(function) > FUNCTION_LINES
    ] == []


def test_no_test_is_over_15_lines() -> None:
    """A test's body has at most 15 lines."""
    assert [
        f"{module.path}:{function.lineno} {function.name}: {body_size(function)}"
        for module in modules("tests")
        for function in module.functions()
        if function.name.startswith("test_") and body_size(function) > TEST_LINES
    ] == []
