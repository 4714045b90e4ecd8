"""The web console: pages made on the server, readable without JavaScript, for people who are signed in.

`pages` is the table of what there is; a page more is a row there, a story in service/flows/console and a template.
"""

from service.api.console.routes import routes

__all__ = ["routes"]
