"""Cases of what releases of Python and of libraries took away, with the words of those releases.

Those of `RUN` are true of what is installed here: the file before raises just that, and the file after runs.
"""

# ruff: noqa: E501, S608 - the texts are the data
from __future__ import annotations

from tests.workers.fixers.static.cases import Case, kept, one

_GONE = "AttributeError: module 'asyncio' has no attribute 'coroutine'"
_TWENTY = "PydanticDeprecatedSince20: "
_MODEL = "from pydantic import BaseModel\n\n\nclass M(BaseModel):\n    a: int = 1\n\n\n"
_VALIDATOR = (
    _TWENTY
    + "Pydantic V1 style `@validator` validators are deprecated. You should migrate to Pydantic V2 style `@field_validator` validators"
)
_ROOT = (
    _TWENTY
    + "Pydantic V1 style `@root_validator` validators are deprecated. You should migrate to Pydantic V2 style `@model_validator` validators"
)
_CONFIG = _TWENTY + "Support for class-based `config` is deprecated, use ConfigDict instead."
_ENGINE = (
    "from sqlalchemy import create_engine, select, column, literal_column\n\nengine = create_engine('sqlite://')\n"
)
_NO_EXECUTE = "AttributeError: 'Engine' object has no attribute 'execute'"
_SELECT = "ArgumentError: Column expression, FROM clause, or other columns clause element expected, got ["
_DRIVER = "ObjectNotExecutableError: Not an executable object: "

COROUTINES = (
    one("a coroutine by decorator, under its imported name", "ImportError: cannot import name 'coroutine' from 'asyncio'",
        "from asyncio import coroutine, sleep<<\n\n\nclass A:\n    @coroutine\n    def f(self):\n        yield from sleep(0)\n",
        "from asyncio import sleep\n\n\nclass A:\n    async def f(self):\n        await sleep(0)\n"),
    one("the import goes with the last name", "ImportError: cannot import name 'coroutine' from 'asyncio'",
        "import os\nfrom asyncio import coroutine<<\n\n\n@coroutine\ndef f(x):\n    return (yield from x.read())\n",
        "import os\n\n\nasync def f(x):\n    return (await x.read())\n"),
    one("what binds less than await", _GONE,
        "import asyncio\n\n\n@asyncio.coroutine  # why<<\ndef f(a, b):\n    x = yield from a or b\n    y = yield from (b or a)\n    return x, y\n",
        "import asyncio\n\n\n# why\nasync def f(a, b):\n    x = await (a or b)\n    y = await (b or a)\n    return x, y\n"),
    one("a generator inside of a coroutine stays one", _GONE,
        "import asyncio\n\n\n@asyncio.coroutine<<\ndef f(x):\n    def g():\n        yield from x\n\n    return g(), lambda: x\n",
        "import asyncio\n\n\nasync def f(x):\n    def g():\n        yield from x\n\n    return g(), lambda: x\n"),
)  # fmt: skip

MOMENTS = (
    one("utcnow as a default that is called later", "DeprecationWarning: datetime.datetime.utcnow() is deprecated",
        "from dataclasses import dataclass, field\nfrom datetime import datetime\n\n\n@dataclass\nclass A:\n    at: datetime = field(default_factory=datetime.utcnow)<<\n",
        "from dataclasses import dataclass, field\nfrom datetime import datetime, timezone\n\n\n@dataclass\nclass A:\n    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc).replace(tzinfo=None))\n"),
    one("another timezone is in the file", "DeprecationWarning: datetime.datetime.utcnow() is deprecated",
        "from datetime import datetime\n\nfrom django.utils import timezone\n\nx = datetime.utcnow(), timezone.now()<<\n",
        "from datetime import datetime, timezone as datetime_timezone\n\nfrom django.utils import timezone\n\nx = datetime.now(datetime_timezone.utc).replace(tzinfo=None), timezone.now()\n"),
    kept("the clock of somebody else", "DeprecationWarning: datetime.datetime.utcnow() is deprecated",
         "import arrow\n\n\ndef f(self):\n    return arrow.utcnow(), self.clock.utcnow()<<\n"),
)  # fmt: skip

DISTRIBUTIONS = (
    one("the version of a distribution", "ModuleNotFoundError: No module named 'pkg_resources'",
        "import os\n\nimport pkg_resources<<\n\nversion = pkg_resources.get_distribution('x-y').version\n",
        "import os\n\nimport importlib.metadata\n\nversion = importlib.metadata.version('x-y')\n"),
    one("a distribution that may be missing", "DeprecationWarning: pkg_resources is deprecated as an API. See https://setuptools.pypa.io",
        "from pkg_resources import DistributionNotFound, get_distribution<<\n\ntry:\n    v = get_distribution(__name__).version\nexcept DistributionNotFound:\n    v = '0'\n",
        "import importlib.metadata\n\ntry:\n    v = importlib.metadata.version(__name__)\nexcept importlib.metadata.PackageNotFoundError:\n    v = '0'\n"),
    one("require is asked for a version", "UserWarning: pkg_resources is deprecated as an API.",
        "import pkg_resources as pr<<\n\nv = pr.require('x')[0].version\n", "import importlib.metadata\n\nv = importlib.metadata.version('x')\n"),
    one("entry points", "ModuleNotFoundError: No module named 'pkg_resources'",
        "def f(g):\n    from pkg_resources import iter_entry_points<<\n\n    for p in iter_entry_points(g, name='a'):\n        p.load()\n    return next(iter_entry_points(group='x'))\n",
        "def f(g):\n    import importlib.metadata\n\n    for p in importlib.metadata.entry_points(group=g, name='a'):\n        p.load()\n    return next(iter(importlib.metadata.entry_points(group='x')))\n"),
    Case("files of a package of the repository", "ModuleNotFoundError: No module named 'pkg_resources'",
         {"m.py": "import pkg_resources<<\n\nx = pkg_resources.resource_filename('pack', 'a.txt')\ny = pkg_resources.resource_string('pack', 'a/b.txt')\n",
          "pack/__init__.py": ""},
         {"m.py": "import importlib.resources\n\nx = str(importlib.resources.files('pack') / 'a.txt')\ny = (importlib.resources.files('pack') / 'a/b.txt').read_bytes()\n"}),
    kept("files of a package of somebody else", "ModuleNotFoundError: No module named 'pkg_resources'",
         "import pkg_resources<<\n\nx = pkg_resources.resource_filename('pack', 'a.txt')\n"),
    kept("a requirement is more than a name", "ModuleNotFoundError: No module named 'pkg_resources'",
         "import pkg_resources<<\n\nx = pkg_resources.get_distribution('x>=1').version\n"),
    kept("a part of it has no equal", "ModuleNotFoundError: No module named 'pkg_resources'",
         "import pkg_resources<<\n\nx = pkg_resources.get_distribution('x').version\ny = pkg_resources.parse_version(x)\n"),
    kept("the file has thought of both", "DeprecationWarning: pkg_resources is deprecated as an API",
         "try:\n    from pkg_resources import get_distribution<<\nexcept ImportError:\n    from importlib.metadata import distribution as get_distribution\n"),
)  # fmt: skip

PYDANTIC = (
    one("methods of models", _TWENTY + "The `dict` method is deprecated; use `model_dump` instead.",
        _MODEL + "def f(m: M, other):\n    return m.dict(exclude={'a'})<<\n\n\nx = M()\ny = [x], x.dict(by_alias=True)\nf(x, y)\n",
        _MODEL + "def f(m: M, other):\n    return m.model_dump(exclude={'a'})\n\n\nx = M()\ny = [x], x.model_dump(by_alias=True)\nf(x, y)\n"),
    one("a method of what the line says", _TWENTY + "The `json` method is deprecated; use `model_dump_json` instead.",
        _MODEL + "def f(m):\n    return m.json()<<\n\n\ndef g(reply):\n    return reply.json()\n\n\nf(M())\n",
        _MODEL + "def f(m):\n    return m.model_dump_json()\n\n\ndef g(reply):\n    return reply.json()\n\n\nf(M())\n"),
    one("a model is made", _TWENTY + "The `parse_obj` method is deprecated; use `model_validate` instead.",
        _MODEL + "x = M.parse_obj({'a': 2})<<\n", _MODEL + "x = M.model_validate({'a': 2})\n"),
    kept("arguments that the new method has not", _TWENTY + "The `copy` method is deprecated; use `model_copy` instead.",
         _MODEL + "x = M().copy(exclude={'a'})<<\n"),
    kept("models that are written by alias", _TWENTY + "The `dict` method is deprecated; use `model_dump` instead.",
         "from pydantic import BaseModel, ConfigDict\n\n\nclass M(BaseModel):\n    model_config = ConfigDict(serialize_by_alias=True)\n\n\nM().dict()<<\n"),
    kept("the repository has a method of that name", _TWENTY + "The `dict` method is deprecated; use `model_dump` instead.",
         "from pydantic import BaseModel\n\n\nclass M(BaseModel):\n    def dict(self):\n        return super().dict()<<\n\n\nM().dict()\n"),
    one("validators", _VALIDATOR,
        "from pydantic import BaseModel, validator\n\n\nclass M(BaseModel):\n    a: int\n    b: str = ''\n\n    @validator('a', pre=True)<<\n    def up(cls, v):\n        return v + 1\n\n    @validator('b', allow_reuse=True)\n    @classmethod\n    def low(cls, v):\n        return v.lower()\n\n\nM(a=1)\n",
        "from pydantic import BaseModel, field_validator\n\n\nclass M(BaseModel):\n    a: int\n    b: str = ''\n\n    @field_validator('a', mode=\"before\")\n    @classmethod\n    def up(cls, v):\n        return v + 1\n\n    @field_validator('b')\n    @classmethod\n    def low(cls, v):\n        return v.lower()\n\n\nM(a=1)\n"),
    kept("a validator that sees other fields", _VALIDATOR,
         "from pydantic import BaseModel, validator\n\n\nclass M(BaseModel):\n    a: int\n\n    @validator('a')<<\n    def f(cls, v, values):\n        return v\n"),
    kept("a validator of defaults", _VALIDATOR,
         "from pydantic import BaseModel, validator\n\n\nclass M(BaseModel):\n    a: int = 1\n\n    @validator('a', always=True)<<\n    def f(cls, v):\n        return v\n"),
    one("a validator of all that comes in", _ROOT,
        "import pydantic\n\n\nclass M(pydantic.BaseModel):\n    a: int\n\n    @pydantic.root_validator(pre=True)<<\n    def f(cls, values):\n        return values\n\n\nM(a=1)\n",
        "import pydantic\n\n\nclass M(pydantic.BaseModel):\n    a: int\n\n    @pydantic.model_validator(mode=\"before\")\n    @classmethod\n    def f(cls, values):\n        return values\n\n\nM(a=1)\n"),
    kept("a validator of all fields that were read", _ROOT,
         "from pydantic import BaseModel, root_validator\n\n\nclass M(BaseModel):\n    a: int\n\n    @root_validator(skip_on_failure=True)<<\n    def f(cls, values):\n        return values\n"),
    one("settings of a class", _CONFIG,
        "from pydantic import BaseModel\n\n\nclass Base(BaseModel):\n    pass\n\n\nclass M(Base):\n    a: int = 1\n\n    class Config:<<\n        extra = 'forbid'\n        frozen = True\n",
        "from pydantic import BaseModel, ConfigDict\n\n\nclass Base(BaseModel):\n    pass\n\n\nclass M(Base):\n    a: int = 1\n\n    model_config = ConfigDict(extra='forbid', frozen=True)\n"),
    kept("a setting that is gone", _CONFIG,
         "from pydantic import BaseModel\n\n\nclass M(BaseModel):\n    class Config:<<\n        allow_mutation = False\n"),
    one("fields with fewer items", "PydanticDeprecatedSince20: `min_items` is deprecated and will be removed, use `min_length` instead.",
        "from typing import List\n\nfrom pydantic import BaseModel, Field\n\n\nclass M(BaseModel):\n    a: List[int] = Field([1], min_items=1)<<\n",
        "from typing import List\n\nfrom pydantic import BaseModel, Field\n\n\nclass M(BaseModel):\n    a: List[int] = Field([1], min_length=1)\n"),
    one("a pattern fits from the start", "PydanticUserError: `regex` is removed. use `pattern` instead",
        "from pydantic import BaseModel, Field\n\n\nclass M(BaseModel):\n    a: str = Field('a', regex='^a+$')<<\n    b: str = Field('b', regex=r'b|c')\n\n\nM(b='cd')\n",
        "from pydantic import BaseModel, Field\n\n\nclass M(BaseModel):\n    a: str = Field('a', pattern='^a+$')\n    b: str = Field('b', pattern=r'^(?:b|c)')\n\n\nM(b='cd')\n", sure=False),
    kept("a pattern that nobody can read", "PydanticUserError: `regex` is removed. use `pattern` instead",
         "from pydantic import BaseModel, Field\n\nWORD = 'a|b'\n\n\nclass M(BaseModel):\n    a: str = Field('a', regex=WORD)<<\n"),
    one("settings from their own package", "PydanticImportError: `BaseSettings` has been moved to the `pydantic-settings` package.",
        "from pydantic import BaseSettings, Field<<\n\n\nclass S(BaseSettings):\n    a: int = Field(1)\n",
        "from pydantic import Field\nfrom pydantic_settings import BaseSettings\n\n\nclass S(BaseSettings):\n    a: int = Field(1)\n", sure=False),
    kept("a field that names its variable", "PydanticImportError: `BaseSettings` has been moved to the `pydantic-settings` package.",
         "from pydantic import BaseSettings, Field<<\n\n\nclass S(BaseSettings):\n    a: int = Field(1, env='A')\n"),
)  # fmt: skip

SQLALCHEMY = (
    one("an engine executes", _NO_EXECUTE,
        _ENGINE + "\n\ndef f():\n    engine.execute('create table t (a integer)')<<\n    engine.execute('insert into t values (?)', (1,))\n    return engine.execute(select(literal_column('1'))).scalar()\n\n\nf()\n",
        "from sqlalchemy import create_engine, select, column, literal_column, text\n\nengine = create_engine('sqlite://')\n\n\ndef f():\n    with engine.begin() as connection:\n        connection.execute(text('create table t (a integer)'))\n    with engine.begin() as connection:\n        connection.exec_driver_sql('insert into t values (?)', (1,))\n    with engine.begin() as connection:\n        return connection.execute(select(literal_column('1'))).scalar()\n\n\nf()\n"),
    one("all rows at once", _NO_EXECUTE,
        _ENGINE + "rows = [row[0] for row in engine.execute(\n    'select 1'\n)]<<\n".replace("execute(\n", "execute(<<\n").replace(")]<<", ")]"),
        "from sqlalchemy import create_engine, select, column, literal_column, text\n\nengine = create_engine('sqlite://')\nwith engine.begin() as connection:\n    rows = [row[0] for row in connection.execute(\n    text('select 1')\n)]\n"),
    kept("a result that is used later", _NO_EXECUTE, _ENGINE + "rows = engine.execute('select 1')<<\nx = list(rows)\n"),
    one("a list of columns", _SELECT,
        _ENGINE + "x = select([column('a'), column('b')]).where(column('a') == 1)<<\ny = select([column(n) for n in 'ab'])\n",
        _ENGINE + "x = select(column('a'), column('b')).where(column('a') == 1)\ny = select(*[column(n) for n in 'ab'])\n"),
    kept("a condition beside the columns", _SELECT, _ENGINE + "x = select([column('a')], column('a') == 1)<<\n"),
    one("a connection is given text", _DRIVER + "'select 1'",
        _ENGINE + "with engine.connect() as c:\n    c.execute('select 1')<<\n    c.execute('select ?', (1,))\n    c.execute(select(literal_column('1')))\n",
        "from sqlalchemy import create_engine, select, column, literal_column, text\n\nengine = create_engine('sqlite://')\nwith engine.connect() as c:\n    c.execute(text('select 1'))\n    c.exec_driver_sql('select ?', (1,))\n    c.execute(select(literal_column('1')))\n"),
    one("a session is given text", "ArgumentError: Textual SQL expression 'select :a' should be explicitly declared as text('select :a')",
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import Session\n\ns = Session(sa.create_engine('sqlite://'))\ns.execute('select :a', {'a': 1})<<\n",
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import Session\n\ns = Session(sa.create_engine('sqlite://'))\ns.execute(sa.text('select :a'), {'a': 1})\n"),
    one("a driver's connection of the same name", _DRIVER + "'select 1'",
        "import sqlite3\n\nfrom sqlalchemy import create_engine, text\n\n\ndef f():\n    with create_engine('sqlite://').connect() as c:\n        return c.execute('select 1').scalar()<<\n\n\ndef g():\n    c = sqlite3.connect(':memory:')\n    return c.execute('select 2').fetchone()\n\n\nf()\ng()\n",
        "import sqlite3\n\nfrom sqlalchemy import create_engine, text\n\n\ndef f():\n    with create_engine('sqlite://').connect() as c:\n        return c.execute(text('select 1')).scalar()\n\n\ndef g():\n    c = sqlite3.connect(':memory:')\n    return c.execute('select 2').fetchone()\n\n\nf()\ng()\n"),
    kept("text that is put together", "ArgumentError: Textual SQL expression 'select 1' should be explicitly declared as text('select 1')",
         "def f(s, what):\n    return s.execute('select ' + what)<<\n"),
    one("a base class moved", "MovedIn20Warning: The ``declarative_base()`` function is now available as sqlalchemy.orm.declarative_base(). (deprecated since: 2.0)",
        "from sqlalchemy.ext.declarative import declarative_base<<\n\nBase = declarative_base()\n",
        "from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n"),
    kept("it comes from its home already", "MovedIn20Warning: The ``declarative_base()`` function is now available as sqlalchemy.orm.declarative_base().",
         "from sqlalchemy.orm import declarative_base<<\n\nBase = declarative_base()\n"),
)  # fmt: skip

RENAMED = (
    one("settings with new names", "UserWarning: Valid config keys have changed in V2:",
        "from pydantic import BaseModel, Extra\n\n\nclass M(BaseModel):\n    a: int = 1\n\n    class Config:<<\n        extra = Extra.forbid\n        orm_mode = True\n",
        "from pydantic import BaseModel, ConfigDict\n\n\nclass M(BaseModel):\n    a: int = 1\n\n    model_config = ConfigDict(extra=\"forbid\", from_attributes=True)\n"),
    one("a validator that has to say when it is skipped", "PydanticUserError: If you use `@root_validator` with pre=False (the default) you MUST specify `skip_on_failure=True`.",
        "from pydantic import BaseModel, root_validator\n\n\nclass M(BaseModel):\n    a: int\n\n    @root_validator<<\n    def f(cls, values):\n        return values\n",
        "from pydantic import BaseModel, root_validator\n\n\nclass M(BaseModel):\n    a: int\n\n    @root_validator(skip_on_failure=True)\n    def f(cls, values):\n        return values\n", sure=False),
    one("what a library called otherwise", "ImportError: cannot import name 'relation' from 'sqlalchemy.orm' (x)",
        "from sqlalchemy.orm import relation<<\n\nx = relation('A')\n", "from sqlalchemy.orm import relationship as relation\n\nx = relation('A')\n"),
)  # fmt: skip
"""What cannot be run alone, or warns of something else first."""

UNFIT = (
    kept("a generator that only looks like a coroutine", _GONE, "import asyncio\n\n\n@asyncio.coroutine<<\ndef f(x):\n    yield\n    yield from x()\n"),
    kept("the decorator is called by hand", _GONE, "import asyncio\n\n\ndef f(g):\n    return asyncio.coroutine(g)<<\n"),
)  # fmt: skip

RUN = tuple(case for case in (*PYDANTIC, *SQLALCHEMY) if case.after)
RELEASES = (*COROUTINES, *UNFIT, *RENAMED, *MOMENTS, *DISTRIBUTIONS, *PYDANTIC, *SQLALCHEMY)
