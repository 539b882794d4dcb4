/*
 * -j before a command: what it prints line by line becomes JSON, an object a
 * line, as it comes.
 */
#ifndef QUIRE_CTL_JSON_H
#define QUIRE_CTL_JSON_H

#include "broker/ctl.h"

/*
 * Runs it with its standard output turned into objects of this shape, and
 * returns what it exits with.  A shape names the words of a line, one after the
 * other: `-' for one that says nothing, `*name' for all that is left, `%' for
 * names and values in turn, `=' for words of the form name=value.  Between
 * bars there may be several shapes.  A line of none of them is {"text": ...}.
 */
int ctl_json_run(const char *shape, ctl_run_fn *, const struct ctl *, int argc,
    char **argv);

#endif
