/* What is wrong with a configuration, as conf_report_fn: line after line. */
#ifndef QUIRE_TESTS_SAID_H
#define QUIRE_TESTS_SAID_H

extern char said[4096];

void say(void *, const char *text);

#endif
