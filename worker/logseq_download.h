/* The snapshot of a graph, down (logseq.md, section 5.4). */
#ifndef QUIRE_LOGSEQ_DOWNLOAD_H
#define QUIRE_LOGSEQ_DOWNLOAD_H

#include "worker/logseq.h"

/* Where it is, and it. */
extern const struct logseq_steps logseq_download_steps;
extern const struct logseq_steps logseq_stream_steps;

#endif
