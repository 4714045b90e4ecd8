"""What people see and do at the console. The pages are a table in service/api/console/pages.py; each has a story
here that gathers what it shows, as the home agency may see it."""
