'''The kit that HTTP mouths share: operations, routing, versions, schemas, faults, links, paging.

Used by nova-api (and nova-all).  A resource is a module with a tuple ``OPERATIONS``; this is a whole one::

    from nova.api.wsgi.operation import Operation, Rule
    from nova.api.wsgi.paging import next_links, page_query
    from nova.api.wsgi.request import Request
    from nova.api.wsgi.schema_parts import NAME, NO_QUERY, NON_NEGATIVE, STRING, body, many, query, wrapped
    from nova.policy import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN

    LIST = Rule("os_compute_api:boxes:index", PROJECT_READER_OR_ADMIN, "List boxes.")
    CREATE = Rule("os_compute_api:boxes:create", PROJECT_MEMBER_OR_ADMIN, "Make a box.")

    def index(req: Request) -> tuple[list[Box], PageQuery]:
        """List the boxes of a project, a page at a time."""
        page = page_query(req)
        return req.conductor.boxes(req.ctx, page.limit, page.marker), page

    def create(req: Request) -> Box:
        """Make a box."""
        box = req.conductor.make_box(req.ctx, req.body["box"]["name"])
        req.respond_at(req.links.to(f"boxes/{box.id}"))
        return box

    def box_list(req, value):                      # the newest representation, and the union of all versions
        rows, page = value
        document = {"boxes": [box_entry(req, box) for box in rows]}
        if links := next_links(req, rows, page.limit, rows[-1].id if rows else None):
            document["boxes_links"] = links
        return document

    OPERATIONS = (
        Operation(name="boxes.index", method="GET", path="/boxes", handler=index, view=box_list, policy=LIST,
                  query=query({"limit": many(NON_NEGATIVE), "marker": many(STRING)})),
        Operation(name="boxes.create", method="POST", path="/boxes", handler=create, view=one_box,
                  policy=CREATE, success=202,
                  body=wrapped("box", body(("name",), name=NAME)), query=NO_QUERY),
    )

Rules of the house for handlers and views:

- A handler is ``handler(req, **path variables)``: no version numbers, no ``except``, one conductor call.
- ``req.ctx`` is who asks, ``req.conductor`` the typed client, ``req.body`` the checked body lifted to the
  newest version (``req.argument`` is what stands below its one top key: an action's argument), ``req.query``
  the checked query (``get``, ``all``), ``req.has("feature")`` asks for a behaviour some version brought.
- The gate (``Operation.policy``) is asked before the handler with the caller's own project as target.  After
  loading something of another project call ``req.authorize(target_project_id=...)``; ``req.may(rule)`` is for
  policies that filter.
- A view returns the union of what all versions show, as a fresh document for each request: the history takes
  out what the request's version does not know.  Bytes are sent as they are.  None sends no body.
- ``req.status`` and ``req.respond_at(url)`` are for the few answers with another code or a ``Location``.
- Errors are raised (``nova.errors``), never rendered.

The name of an operation is the key under which version files speak of it (``nova.api.compute.versions``).
``nova.api.compute.registry`` lists the resource modules.
'''
