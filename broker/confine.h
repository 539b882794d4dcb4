/*
 * The broker's way from root, if it was started as root, to a process of its
 * own user that sees its data directory and nothing else; and what its
 * children, fan-out and the opener, go into.  All that needs a name or a
 * privilege is opened between plan and step.
 */
#ifndef QUIRE_CONFINE_H
#define QUIRE_CONFINE_H

#include "broker/config.h"
#include "common/sandbox.h"

/* The data directory, from where the broker stays once it is confined. */
#define CONFINE_DATA "."

/* What the settings ask for, names become numbers; fatal when one is not. */
void confine_plan(const struct config *, struct sandbox_plan *);
/* The same for fan-out, which sandbox_worker is for. */
void confine_fanout_plan(const struct config *, struct sandbox_plan *);
/* And for the opener: it reads where the file conf (NULL: none) and what that
 * names are.  dirs is its memory. */
#define CONFINE_OPENER_DIRS 5
void confine_opener_plan(const struct config *, const char *conf,
    const char *dirs[CONFINE_OPENER_DIRS + 1], struct sandbox_plan *);
/* A file or directory that is the planned user's from now on; fatal. */
void confine_give(const struct sandbox_plan *, const char *path);
/* Single-threaded, once; fatal when the broker must not go on. */
void confine(const struct config *, const struct sandbox_plan *,
    struct sandbox_report *);

#endif
