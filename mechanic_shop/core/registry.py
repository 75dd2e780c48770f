"""What apps contribute as code, found by the names of their modules.

An app that has something to say about invariants has an ``invariants.py``; the command
that checks them knows no app. Django finds ``admin.py`` in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model
from django.http import HttpRequest
from django.utils.module_loading import autodiscover_modules

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Registry(Generic[T]):
    """What the installed apps have added, in modules of one name.

    The modules are imported when somebody first looks, in the order of
    ``INSTALLED_APPS``.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._items: list[T] = []
        self._is_complete = False

    def add(self, item: T) -> T:
        self._items.append(item)
        return item

    def __iter__(self) -> Iterator[T]:
        if not self._is_complete:
            autodiscover_modules(self.module)
            self._is_complete = True
        return iter(self._items)


@dataclass(frozen=True)
class SidebarLink:
    """An entry of the back office's sidebar, for those who have the permission."""

    section: str
    title: str
    icon: str
    url_name: str
    permission: str = ""
    #: Place within the section; those with the same number keep their apps' order.
    order: int = 100
    #: Whether a page belongs to the entry; by default, if its path begins with that of
    #: the entry.
    is_active: Callable[[HttpRequest], bool] | None = None


@dataclass(frozen=True)
class DetailSection:
    """A read-only block that an app adds to the detail of another app's rows."""

    model: type[Model]
    name: str
    serializer_class: type[Any]
    #: Gets the row and the caller; takes one query at most. None is a null.
    read: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class SearchSource:
    """A kind of thing that Ctrl+K finds, for those who have the permission."""

    permission: str
    find: Callable[[Any, str], Iterator[Any]]
    order: int = 100


@dataclass(frozen=True)
class DashboardCard:
    """Figures of the dashboard, for those who have all of the permissions.

    What is read goes into the page's context; ``cards`` in it are joined.
    """

    permissions: frozenset[str]
    read: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class TaskKind:
    """Something that a worker does later, what people call it, and its queue."""

    name: str
    title: str
    queue: str
    run: Callable[[Any], None]


@dataclass(frozen=True)
class DemoStories:
    """What an app lets happen in the demo shop; see ``demo.simulation``.

    ``tell`` gets the shop and returns stories. ``times`` are the columns that the app's
    services fill with the present time, by model.
    """

    tell: Callable[[Any], Iterable[Any]]
    times: Mapping[type[Model], tuple[str, ...]]


sidebar_links: Registry[SidebarLink] = Registry("admin")
detail_sections: Registry[DetailSection] = Registry("detail_sections")
search_sources: Registry[SearchSource] = Registry("search")
dashboard_cards: Registry[DashboardCard] = Registry("dashboard_cards")
demo_stories: Registry[DemoStories] = Registry("demo_stories")
#: Filled by the decorators ``task`` of ``outbox`` and ``mail`` of ``mails``.
task_kinds: Registry[TaskKind] = Registry("tasks")
#: Checks of what always holds in the shop's books. Each is one statement that yields
#: the violating rows only, as sentences that name them: it sees one moment of a shop at
#: work, locks nothing, and takes no more memory for a million sound rows than for none.
invariants: Registry[Callable[[], Iterator[str]]] = Registry("invariants")
#: Each brings copied columns up to date that servers of the previous release did not
#: write during an update, and returns the number of rows.
copy_refreshers: Registry[Callable[[], int]] = Registry("copies")
#: The rows that the invariants are about: their plural, and the model.
checked_rows: Registry[tuple[str, type[Model]]] = Registry("invariants")


def detail_section(
    model: type[Model], name: str, serializer_class: type[Any]
) -> Callable[[F], F]:
    """Show what a function reads as a block of every detail of a model's rows."""

    def register(read: F) -> F:
        detail_sections.add(DetailSection(model, name, serializer_class, read))
        return read

    return register


def search_source(permission: str, order: int = 100) -> Callable[[F], F]:
    """Let Ctrl+K ask a function for what a user finds by a term."""

    def register(find: F) -> F:
        search_sources.add(SearchSource(permission, find, order))
        return find

    return register
