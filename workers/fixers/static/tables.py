"""What was renamed or moved by releases of Python and of well-known libraries. A group went in one release, so where
one of its names fails all of them do; each has the same meaning under its new name.

Sources: the "What's New" pages of Python 3.0 to 3.13, the release notes of NumPy 1.24 and 2.0, pandas 2.0, SciPy 1.14,
Jinja 3.1, Werkzeug 2.1, Flask 2.3, Django 4.0 and SQLAlchemy 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping

_ABCS = (
    "Awaitable", "Coroutine", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "Hashable", "Iterable", "Iterator",
    "Generator", "Reversible", "Sized", "Container", "Callable", "Collection", "Set", "MutableSet", "Mapping",
    "MutableMapping", "MappingView", "KeysView", "ItemsView", "ValuesView", "Sequence", "MutableSequence", "ByteString",
)  # fmt: skip

NAMES: tuple[Mapping[str, str], ...] = (
    {f"collections.{name}": f"collections.abc.{name}" for name in _ABCS},
    {"inspect.getargspec": "inspect.getfullargspec"},
    {"imp.reload": "importlib.reload"},
    {"fractions.gcd": "math.gcd"},
    {"time.clock": "time.perf_counter"},
    {"base64.encodestring": "base64.encodebytes", "base64.decodestring": "base64.decodebytes"},
    {"os.getcwdu": "os.getcwd"},
    {"itertools.izip": "zip", "itertools.imap": "map", "itertools.ifilter": "filter",
     "itertools.izip_longest": "itertools.zip_longest", "itertools.ifilterfalse": "itertools.filterfalse"},
    {"string.letters": "string.ascii_letters", "string.lowercase": "string.ascii_lowercase",
     "string.uppercase": "string.ascii_uppercase", "string.maketrans": "str.maketrans"},
    {"distutils.spawn.find_executable": "shutil.which"},
    {"xml.etree.cElementTree": "xml.etree.ElementTree"},
    {"asyncio.async": "asyncio.ensure_future"},
    {"urllib.urlencode": "urllib.parse.urlencode", "urllib.quote": "urllib.parse.quote",
     "urllib.unquote": "urllib.parse.unquote", "urllib.quote_plus": "urllib.parse.quote_plus",
     "urllib.unquote_plus": "urllib.parse.unquote_plus", "urllib.urlopen": "urllib.request.urlopen",
     "urllib.urlretrieve": "urllib.request.urlretrieve"},
    {"urllib2.urlopen": "urllib.request.urlopen", "urllib2.Request": "urllib.request.Request",
     "urllib2.HTTPError": "urllib.error.HTTPError", "urllib2.URLError": "urllib.error.URLError",
     "urllib2.build_opener": "urllib.request.build_opener"},
    {"numpy.float": "float", "numpy.int": "int", "numpy.bool": "bool", "numpy.object": "object", "numpy.str": "str",
     "numpy.complex": "complex", "numpy.long": "int", "numpy.unicode": "str"},
    {"numpy.float_": "numpy.float64", "numpy.complex_": "numpy.complex128", "numpy.unicode_": "numpy.str_",
     "numpy.string_": "numpy.bytes_", "numpy.Inf": "numpy.inf", "numpy.Infinity": "numpy.inf",
     "numpy.infty": "numpy.inf", "numpy.NaN": "numpy.nan", "numpy.PINF": "numpy.inf", "numpy.product": "numpy.prod",
     "numpy.cumproduct": "numpy.cumprod", "numpy.sometrue": "numpy.any", "numpy.alltrue": "numpy.all",
     "numpy.round_": "numpy.round", "numpy.row_stack": "numpy.vstack", "numpy.in1d": "numpy.isin",
     "numpy.trapz": "numpy.trapezoid"},
    {"scipy.integrate.trapz": "scipy.integrate.trapezoid", "scipy.integrate.simps": "scipy.integrate.simpson",
     "scipy.integrate.cumtrapz": "scipy.integrate.cumulative_trapezoid"},
    {"pandas.datetime": "datetime.datetime"},
    {f"pandas.util.testing.assert_{kind}_equal": f"pandas.testing.assert_{kind}_equal"
     for kind in ("frame", "series", "index", "extension_array")},
    {"pandas.io.json.json_normalize": "pandas.json_normalize"},
    {"jinja2.Markup": "markupsafe.Markup", "jinja2.escape": "markupsafe.escape"},
    {"jinja2.contextfunction": "jinja2.pass_context", "jinja2.contextfilter": "jinja2.pass_context",
     "jinja2.environmentfilter": "jinja2.pass_environment", "jinja2.evalcontextfilter": "jinja2.pass_eval_context"},
    {"flask.Markup": "markupsafe.Markup", "flask.escape": "markupsafe.escape"},
    {"werkzeug.secure_filename": "werkzeug.utils.secure_filename",
     "werkzeug.generate_password_hash": "werkzeug.security.generate_password_hash",
     "werkzeug.check_password_hash": "werkzeug.security.check_password_hash",
     "werkzeug.cached_property": "werkzeug.utils.cached_property",
     "werkzeug.FileStorage": "werkzeug.datastructures.FileStorage"},
    {"django.utils.encoding.force_text": "django.utils.encoding.force_str",
     "django.utils.encoding.smart_text": "django.utils.encoding.smart_str"},
    {"django.utils.translation.ugettext": "django.utils.translation.gettext",
     "django.utils.translation.ugettext_lazy": "django.utils.translation.gettext_lazy",
     "django.utils.translation.ungettext": "django.utils.translation.ngettext",
     "django.utils.translation.ungettext_lazy": "django.utils.translation.ngettext_lazy"},
    {"django.conf.urls.url": "django.urls.re_path"},
    {"django.core.urlresolvers.reverse": "django.urls.reverse",
     "django.core.urlresolvers.resolve": "django.urls.resolve",
     "django.core.urlresolvers.reverse_lazy": "django.urls.reverse_lazy"},
    {f"sqlalchemy.ext.declarative.{name}": f"sqlalchemy.orm.{name}"
     for name in ("declarative_base", "as_declarative", "declared_attr", "has_inherited_table", "synonym_for")},
    {"sqlalchemy.orm.relation": "sqlalchemy.orm.relationship", "sqlalchemy.orm.eagerload": "sqlalchemy.orm.joinedload"},
)  # fmt: skip
"""Functions, classes and constants by full name; a new name without a dot is a built-in."""

MODULES: Mapping[str, str] = {
    "ConfigParser": "configparser", "Queue": "queue", "SocketServer": "socketserver", "StringIO": "io",
    "cStringIO": "io", "cPickle": "pickle", "__builtin__": "builtins", "copy_reg": "copyreg", "Cookie": "http.cookies",
    "cookielib": "http.cookiejar", "httplib": "http.client", "HTMLParser": "html.parser", "urlparse": "urllib.parse",
    "Tkinter": "tkinter", "thread": "_thread", "BaseHTTPServer": "http.server",
    "SimpleHTTPServer": "http.server", "xml.etree.cElementTree": "xml.etree.ElementTree",
}  # fmt: skip

BUILTINS: Mapping[str, str] = {
    "unicode": "str", "xrange": "range", "raw_input": "input", "unichr": "chr", "long": "int", "basestring": "str",
}  # fmt: skip
"""Names of Python 2. `reduce` is not among them: it has to be imported."""

METHODS: tuple[Mapping[str, str], ...] = (
    {"iteritems": "items", "iterkeys": "keys", "itervalues": "values"},
    {"viewitems": "items", "viewkeys": "keys", "viewvalues": "values"},
    {"isAlive": "is_alive"},
    {"as_matrix": "to_numpy"},
    {"assertEquals": "assertEqual", "assertNotEquals": "assertNotEqual", "assertAlmostEquals": "assertAlmostEqual",
     "assertNotAlmostEquals": "assertNotAlmostEqual", "assert_": "assertTrue", "assertRegexpMatches": "assertRegex",
     "assertNotRegexpMatches": "assertNotRegex", "assertRaisesRegexp": "assertRaisesRegex",
     "assertItemsEqual": "assertCountEqual", "failUnlessEqual": "assertEqual", "failIfEqual": "assertNotEqual",
     "failUnless": "assertTrue", "failIf": "assertFalse", "failUnlessRaises": "assertRaises"},
)  # fmt: skip
"""Methods by their bare name, whatever the object: names that nothing else has."""

GONE = frozenset({"imp", "urllib2", "distutils", "distutils.spawn", "django.core.urlresolvers", "pandas.util.testing"})
"""Modules of `NAMES` that went as a whole: the failure names the module, not the name."""
