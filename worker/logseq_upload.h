/* The snapshot of a graph, up. */
#ifndef QUIRE_LOGSEQ_UPLOAD_H
#define QUIRE_LOGSEQ_UPLOAD_H

#include "worker/logseq.h"

extern const struct logseq_steps logseq_upload_steps;

#endif
