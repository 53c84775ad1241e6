"""The cases of the fixer `static`: what was raised where in which files, and what the files are after the fix.

A file's raising line has `<<` at its end, which is taken away before the case is run.
"""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """`after` has only the files that change. `sure` is what the confidence has to be: high or medium."""

    name: str
    said: str
    before: Mapping[str, str]
    after: Mapping[str, str] = field(default_factory=dict)
    sure: bool = True


def one(name: str, said: str, before: str, after: str, *, sure: bool = True) -> Case:
    """A case with one file."""
    return Case(name, said, {"m.py": before}, {"m.py": after}, sure)


def kept(name: str, said: str, before: str) -> Case:
    """A case in which nothing may be proposed."""
    return Case(name, said, {"m.py": before})


NAMES = (
    one("a module of the library", "NameError: name 'math' is not defined",
        "import os\n\n\ndef f():\n    return math.pi  # why <<\n",
        "import math\nimport os\n\n\ndef f():\n    return math.pi  # why \n"),
    one("a name with a known home", "NameError: name 'Path' is not defined",
        '"""Doc."""\n\nx = Path(".")<<\n', '"""Doc."""\n\nfrom pathlib import Path\n\nx = Path(".")\n'),
    one("it joins the import from the same module", "NameError: name 'Counter' is not defined",
        "from collections import deque\nx = Counter()<<\n", "from collections import deque, Counter\nx = Counter()\n"),
    one("behind the import from the future", "NameError: name 'json' is not defined",
        "from __future__ import annotations\n\nx = json<<\n",
        "from __future__ import annotations\n\nimport json\n\nx = json\n"),
    one("below the line that names the interpreter", "NameError: name 'sys' is not defined",
        "#!/usr/bin/env python\nx = sys<<\n", "#!/usr/bin/env python\nimport sys\n\nx = sys\n"),
    one("below the licence", "NameError: name 'sys' is not defined",
        "# Mine.\n# Yours.\n\n# The path.\nx = sys<<\n", "# Mine.\n# Yours.\n\nimport sys\n\n# The path.\nx = sys\n"),
    one("another function's own name stays", "NameError: name 'itmes' is not defined",
        "def f(items):\n    return itmes<<\n\n\ndef g(itmes):\n    return itmes\n",
        "def f(items):\n    return items\n\n\ndef g(itmes):\n    return itmes\n"),
    Case("what another file imports is imported likewise", "NameError: name 'np' is not defined",
         {"m.py": "x = np.zeros(1)<<\n", "n.py": "import numpy as np\n"},
         {"m.py": "import numpy as np\n\nx = np.zeros(1)\n"}),
    Case("a name that another file makes", "NameError: name 'helper' is not defined",
         {"m.py": "x = helper()<<\n", "pack/tools.py": "def helper():\n    return 1\n"},
         {"m.py": "from pack.tools import helper\n\nx = helper()\n"}),
    one("swapped letters", "NameError: name 'lenght' is not defined",
        "def f(length):\n    return lenght + 1<<\n", "def f(length):\n    return length + 1\n"),
    one("a letter too many in a builtin", "NameError: name 'rangee' is not defined",
        "def f(n):\n    return rangee(n)<<\n", "def f(n):\n    return range(n)\n"),
    one("an unlucky local", "UnboundLocalError: cannot access local variable 'totl' where it is not associated with a value",
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += totl + x<<\n    totl = 1\n    return total\n",
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += total + x\n    totl = 1\n    return total\n"),
    one("two names are a slip away", "NameError: name 'cart' is not defined",
        "def f(carts, card):\n    return cart<<\n", "def f(carts, card):\n    return carts\n", sure=False),
    one("the object was left out", "NameError: name 'rate' is not defined",
        "class A:\n    def __init__(self):\n        self.rate = 2\n\n    def f(self):\n        return rate * 2<<\n",
        "class A:\n    def __init__(self):\n        self.rate = 2\n\n    def f(self):\n        return self.rate * 2\n"),
    one("carriage returns stay", "NameError: name 'os' is not defined",
        "import sys\r\nx = os<<\r\n", "import os\r\nimport sys\r\nx = os\r\n"),
    one("names of Python 2", "NameError: name 'unicode' is not defined",
        "def f(x):\n    for n in xrange(3):\n        x += unicode(n)<<\n    return x\n",
        "def f(x):\n    for n in range(3):\n        x += str(n)\n    return x\n"),
    kept("nothing is like it", "NameError: name 'zzyzx' is not defined", "x = 1\ny = zzyzx<<\n"),
    one("a class further down", "NameError: name 'Node' is not defined",
        '"""Doc."""\n\nimport os\n\n\ndef f(x: Node) -> None:<<\n    pass\n\n\nclass Node:\n    pass\n',
        '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n\n\ndef f(x: Node) -> None:\n    pass\n\n\n'
        "class Node:\n    pass\n"),
)  # fmt: skip

IMPORTS = (
    Case("abstract classes left collections, in every file",
         "ImportError: cannot import name 'Mapping' from 'collections' (/usr/lib/python3.12/collections/__init__.py)",
         {"a.py": "from collections import Mapping<<\n",
          "b.py": "from collections import OrderedDict, Mapping, Sequence  # both\n",
          "c.py": "import collections\n\nx = isinstance({}, collections.Iterable)\n",
          "d.py": "try:\n    from collections.abc import Set\nexcept ImportError:\n    from collections import Set\n"},
         {"a.py": "from collections.abc import Mapping\n",
          "b.py": "from collections import OrderedDict\nfrom collections.abc import Mapping, Sequence  # both\n",
          "c.py": "import collections\nimport collections.abc\n\nx = isinstance({}, collections.abc.Iterable)\n"}),
    one("one of several names of an import in parentheses",
        "ImportError: cannot import name 'Callable' from 'collections' (x)",
        "from collections import (<<\n    Callable,\n    deque,\n)\n",
        "from collections import (\n    deque,\n)\nfrom collections.abc import Callable\n"),
    one("gcd moved to math", "ImportError: cannot import name 'gcd' from 'fractions' (x)",
        "from fractions import gcd<<\n", "from math import gcd\n"),
    one("another name, the old one in the file", "ImportError: cannot import name 'getargspec' from 'inspect' (x)",
        "from inspect import getargspec<<\n\nx = getargspec\n",
        "from inspect import getfullargspec as getargspec\n\nx = getargspec\n"),
    one("a module of Python 2", "ModuleNotFoundError: No module named 'ConfigParser'",
        "import ConfigParser<<\n\nx = ConfigParser.ConfigParser()\n", "import configparser\n\nx = configparser.ConfigParser()\n"),
    one("names out of a module of Python 2", "ModuleNotFoundError: No module named 'urlparse'",
        "from urlparse import urljoin<<\n", "from urllib.parse import urljoin\n"),
    one("a module that went as a whole", "ModuleNotFoundError: No module named 'imp'",
        "import imp<<\n\n\ndef f(m):\n    imp.reload(m)\n", "import importlib\n\n\ndef f(m):\n    importlib.reload(m)\n"),
    kept("a part of it went nowhere", "ModuleNotFoundError: No module named 'imp'",
         "import imp<<\n\nx = imp.load_source('a', 'b')\n"),
    one("a part of the old toolbox", "ModuleNotFoundError: No module named 'distutils'",
        "from distutils.spawn import find_executable<<\n", "from shutil import which as find_executable\n"),
    one("what a library gave on", "ImportError: cannot import name 'Markup' from 'jinja2' (x)",
        "from jinja2 import Environment, Markup<<\n", "from jinja2 import Environment\nfrom markupsafe import Markup\n"),
    one("a slip in a module", "ModuleNotFoundError: No module named 'jsno'",
        "import jsno<<\nx = jsno.dumps(1)\n", "import json\nx = json.dumps(1)\n"),
    kept("a package that is not installed", "ModuleNotFoundError: No module named 'yaml'", "import yaml<<\n"),
    one("it may be another package", "ModuleNotFoundError: No module named 'json5'",
        "import json5<<\n", "import json\n", sure=False),
    Case("another file asks for it too, so it is a package", "ModuleNotFoundError: No module named 'json5'",
         {"m.py": "import json5<<\n", "n.py": "from json5 import loads\n"}),
    kept("numpy itself is missing", "ModuleNotFoundError: No module named 'numpy'",
         "import numpy as np<<\nx = np.float\n"),
    Case("a module moved into a package", "ModuleNotFoundError: No module named 'helpers'",
         {"pack/a.py": "from helpers import f<<\n", "pack/helpers.py": "def f():\n    pass\n"},
         {"pack/a.py": "from pack.helpers import f\n"}),
    Case("a name moved to another module", "ImportError: cannot import name 'total' from 'shop.cart' (shop/cart.py)",
         {"shop/a.py": "from shop.cart import Cart, total<<\n", "shop/cart.py": "class Cart:\n    pass\n",
          "shop/price.py": "def total():\n    return 1\n"},
         {"shop/a.py": "from shop.cart import Cart\nfrom shop.price import total\n"}),
    Case("a slip in a name, relative", "ImportError: cannot import name 'totl' from 'shop.price' (shop/price.py)",
         {"shop/a.py": "from .price import totl<<\nx = totl()\n", "shop/price.py": "def total():\n    return 1\n"},
         {"shop/a.py": "from .price import total\nx = total()\n"}),
    kept("a circle of imports", "ImportError: cannot import name 'a' from partially initialized module 'm' "
         "(most likely due to a circular import) (m.py)", "from json import a<<\n"),
)  # fmt: skip

ATTRIBUTES = (
    one("a method of a built-in type", "AttributeError: 'str' object has no attribute 'uper'",
        "x = 'a'.uper()  # loud<<\n", "x = 'a'.upper()  # loud\n"),
    Case("a field of a class of the repository", "AttributeError: 'Cart' object has no attribute 'itmes'",
         {"m.py": "def f(cart):\n    return cart.itmes<<\n",
          "cart.py": "class Base:\n    def __init__(self):\n        self.items = []\n\n\nclass Cart(Base):\n    pass\n"},
         {"m.py": "def f(cart):\n    return cart.items\n"}),
    Case("a function of a module of the repository", "AttributeError: module 'shop.price' has no attribute 'totall'",
         {"m.py": "from shop import price\nx = price.totall()<<\n", "shop/price.py": "def total():\n    return 1\n"},
         {"m.py": "from shop import price\nx = price.total()\n"}),
    one("what Python proposes", "AttributeError: module 'math' has no attribute 'sqr'. Did you mean: 'sqrt'?",
        "import math\nx = math.sqr(4)<<\n", "import math\nx = math.sqrt(4)\n", sure=False),
    one("aliases of numpy", "AttributeError: module 'numpy' has no attribute 'float'.",
        "import numpy as np\nx = np.array([1], dtype=np.float)<<\ny = np.int(2)\nz = np.float64\n",
        "import numpy as np\nx = np.array([1], dtype=float)\ny = int(2)\nz = np.float64\n"),
    one("names that numpy 2 removed", "AttributeError: `np.Inf` was removed in the NumPy 2.0 release. Use `np.inf` instead.",
        "import numpy as np\nx = np.Inf<<\ny = np.NaN\n", "import numpy as np\nx = np.inf\ny = np.nan\n"),
    one("a clock", "AttributeError: module 'time' has no attribute 'clock'",
        "import time\n\nt = time.clock()<<\n", "import time\n\nt = time.perf_counter()\n"),
    one("getargspec", "AttributeError: module 'inspect' has no attribute 'getargspec'. Did you mean: 'getargs'?",
        "import inspect\nx = inspect.getargspec(f)<<\n", "import inspect\nx = inspect.getfullargspec(f)\n"),
    one("methods of Python 2's dictionaries", "AttributeError: 'dict' object has no attribute 'iteritems'",
        "import six\n\n\ndef f(d):\n    for k, v in d.iteritems():<<\n        pass\n    return six.iteritems(d), d.itervalues()\n",
        "import six\n\n\ndef f(d):\n    for k, v in d.items():\n        pass\n    return six.iteritems(d), d.values()\n"),
    one("a class of the repository has it, so only the raising line changes",
        "AttributeError: 'dict' object has no attribute 'iteritems'",
        "class A:\n    def iteritems(self):\n        return {}.iteritems()<<\n\n\nx = A().iteritems()\n",
        "class A:\n    def iteritems(self):\n        return {}.items()\n\n\nx = A().iteritems()\n", sure=False),
    one("has_key", "AttributeError: 'dict' object has no attribute 'has_key'",
        "def f(d, k):\n    if d.has_key(k) and not d.has_key('b'):<<\n        return 1\n",
        "def f(d, k):\n    if k in d and not ('b' in d):\n        return 1\n"),
    one("old names of assertions, outside of tests",
        "AttributeError: 'Checks' object has no attribute 'assertEquals'. Did you mean: 'assertEqual'?",
        "class Checks(TestCase):\n    def same(self, a, b):\n        self.assertEquals(a, b)<<\n        self.assertItemsEqual(a, b)\n",
        "class Checks(TestCase):\n    def same(self, a, b):\n        self.assertEqual(a, b)\n        self.assertCountEqual(a, b)\n"),
    one("a decorator that made coroutines",
        "AttributeError: module 'asyncio' has no attribute 'coroutine'. Did you mean: 'coroutines'?",
        "import asyncio\n\n\n@asyncio.coroutine<<\ndef f(x):\n    y = yield from x()\n    return y\n",
        "import asyncio\n\n\nasync def f(x):\n    y = await x()\n    return y\n"),
    one("a coroutine is no result", "AttributeError: 'coroutine' object has no attribute 'name'",
        "async def load():\n    return 1\n\n\nasync def f():\n    return load().name<<\n",
        "async def load():\n    return 1\n\n\nasync def f():\n    return (await load()).name\n", sure=False),
)  # fmt: skip

OTHERS = (
    one("a slip in a keyword", "TypeError: total() got an unexpected keyword argument 'dicount'",
        "def total(items, discount=0):\n    return items\n\n\nx = total([], dicount=1)<<\n",
        "def total(items, discount=0):\n    return items\n\n\nx = total([], discount=1)\n"),
    one("a slip in a field of a data class", "TypeError: Cart.__init__() got an unexpected keyword argument 'ownr'",
        "@dataclass\nclass Cart:\n    owner: str\n\n\nx = Cart(ownr='a')<<\n",
        "@dataclass\nclass Cart:\n    owner: str\n\n\nx = Cart(owner='a')\n"),
    one("a method without its object", "TypeError: A.f() takes 1 positional argument but 2 were given",
        "class A:\n    def f(x):\n        return self.g(x)\n\n    def g(self, x):\n        return x\n\n\ny = A().f(1)<<\n",
        "class A:\n    def f(self, x):\n        return self.g(x)\n\n    def g(self, x):\n        return x\n\n\ny = A().f(1)\n", sure=False),
    one("a method without any parameter", "TypeError: A.f() takes 0 positional arguments but 1 was given",
        "class A:\n    async def f():\n        return 1\n\n\ny = A().f()<<\n",
        "class A:\n    async def f(self):\n        return 1\n\n\ny = A().f()\n", sure=False),
    one("an annotation of a newer Python", "TypeError: unsupported operand type(s) for |: 'type' and 'NoneType'",
        "import os\n\n\ndef f(x: int | None) -> None:<<\n    pass\n",
        "from __future__ import annotations\n\nimport os\n\n\ndef f(x: int | None) -> None:\n    pass\n"),
    one("a loader has to be named", "TypeError: load() missing 1 required positional argument: 'Loader'",
        "import yaml\n\nx = yaml.load(text)<<\n", "import yaml\n\nx = yaml.safe_load(text)\n", sure=False),
    one("a coroutine cannot be added", "TypeError: unsupported operand type(s) for +: 'coroutine' and 'int'",
        "async def load():\n    return 1\n\n\nasync def f():\n    x = load()\n    return x + 1<<\n",
        "async def load():\n    return 1\n\n\nasync def f():\n    x = await load()\n    return x + 1\n", sure=False),
    one("awaited for nothing", "TypeError: object int can't be used in 'await' expression",
        "def load():\n    return 1\n\n\nasync def f():\n    return await load()<<\n",
        "def load():\n    return 1\n\n\nasync def f():\n    return load()\n", sure=False),
    one("a loop over what comes later", "TypeError: 'async_generator' object is not iterable",
        "async def f():\n    for x in g():<<\n        print(x)\n", "async def f():\n    async for x in g():\n        print(x)\n",
        sure=False),
    one("never awaited", "RuntimeWarning: coroutine 'A.save' was never awaited",
        "class A:\n    async def save(self):\n        pass\n\n\nasync def f(a):\n    a.save()  # keep<<\n",
        "class A:\n    async def save(self):\n        pass\n\n\nasync def f(a):\n    await a.save()  # keep\n", sure=False),
    Case("never awaited in several files", "RuntimeWarning: coroutine 'save' was never awaited",
         {"m.py": "async def save():\n    pass\n\n\nasync def f():\n    save()<<\n",
          "n.py": "from m import save\n\n\nasync def g():\n    xs = [save(), save()]\n    await gather(*xs)\n    save()\n"},
         {"m.py": "async def save():\n    pass\n\n\nasync def f():\n    await save()\n",
          "n.py": "from m import save\n\n\nasync def g():\n    xs = [save(), save()]\n    await gather(*xs)\n    await save()\n"}, sure=False),
    one("a file that is nothing but a comment and a blank", "NameError: name 'math' is not defined",
        "# a\n\nx = math<<", "# a\n\nimport math\n\nx = math"),
    kept("never awaited where nothing can wait", "RuntimeWarning: coroutine 'save' was never awaited",
         "async def save():\n    pass\n\n\ndef f():\n    save()<<\n"),
    one("a slip in a key", "KeyError: 'nmae'",
        'def f():\n    row = {"name": 1}\n    return row["nmae"]<<\n', 'def f():\n    row = {"name": 1}\n    return row["name"]\n',
        sure=False),
    kept("a key like no other", "KeyError: 'zip'", "row = {'name': 1}\nx = row['zip']<<\n"),
    one("a file in the machine's own encoding",
        "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 3: ordinal not in range(128)",
        "def f(path):\n    with open(path, 'rb') as raw, open(path) as file:\n        return file.read()<<\n",
        "def f(path):\n    with open(path, 'rb') as raw, open(path, encoding=\"utf-8\") as file:\n        return file.read()\n",
        sure=False),
    one("a path is read", "UnicodeDecodeError: 'charmap' codec can't decode byte 0x9d in position 9: character maps to <undefined>",
        "def f(path):\n    return path.read_text()<<\n", "def f(path):\n    return path.read_text(encoding=\"utf-8\")\n", sure=False),
    kept("what opens bytes", "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 3: ordinal not in range(128)",
         "import gzip\n\n\ndef f(path):\n    return gzip.open(path).read().decode('ascii')<<\n"),
    kept("it is no UTF-8", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
         "def f(path):\n    return open(path).read()<<\n"),
    one("utcnow is an error", "DeprecationWarning: datetime.datetime.utcnow() is deprecated and scheduled for removal",
        "from datetime import datetime\n\nx = datetime.utcnow()<<\n",
        "from datetime import datetime, timezone\n\nx = datetime.now(timezone.utc).replace(tzinfo=None)\n"),
    one("utcnow by its module", "DeprecationWarning: datetime.datetime.utcfromtimestamp() is deprecated",
        "import datetime as dt\n\nx = dt.datetime.utcfromtimestamp(0)<<\n",
        "import datetime as dt\n\nx = dt.datetime.fromtimestamp(0, dt.timezone.utc).replace(tzinfo=None)\n"),
)  # fmt: skip

CASES = (*NAMES, *IMPORTS, *ATTRIBUTES, *OTHERS)
