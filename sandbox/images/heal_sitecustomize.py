# Runs at every start of Python with this folder on PYTHONPATH, as the module `sitecustomize`. Offers the tests' results
# to `heal_unittest` once unittest is imported, and makes way for the `sitecustomize` that would have run without it.
# Understood by every Python, 2 included, because it must never print or fail.
import sys


def _next_sitecustomize():
    """Load the one that this file hides; its errors are its own."""
    import _frozen_importlib
    import _frozen_importlib_external  # what importlib stands for, without its file: two milliseconds of every start

    here = __file__.rpartition("/")[0]
    path = [entry for entry in sys.path if entry.rstrip("/") != here]
    spec = _frozen_importlib_external.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = _frozen_importlib.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


class _Waiting(object):  # noqa: UP004 - see above
    """Finds nothing; when unittest's results are imported it lets the listener in and leaves."""

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002 - the import system's signature
        if name != "unittest.result":
            return None
        sys.meta_path.remove(self)
        try:
            import _frozen_importlib_external

            spec = _frozen_importlib_external.PathFinder.find_spec(name, path)
            loader = spec.loader
            run = loader.exec_module

            def exec_module(module):
                run(module)
                try:
                    import heal_unittest

                    heal_unittest.listen(module.TestResult)
                except Exception:  # noqa: S110, BLE001 - no report is better than no test
                    pass

            loader.exec_module = exec_module
            return spec
        except Exception:  # noqa: BLE001 - as above
            return None


if sys.version_info >= (3, 6):  # noqa: UP036 - see above
    sys.meta_path.insert(0, _Waiting())
    _next_sitecustomize()
