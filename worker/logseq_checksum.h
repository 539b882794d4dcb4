/* GET /sync/:id/checksum/diagnostics: what people compare by eye. */
#ifndef QUIRE_LOGSEQ_CHECKSUM_H
#define QUIRE_LOGSEQ_CHECKSUM_H

#include "worker/logseq.h"

extern const struct logseq_steps logseq_checksum_steps;

#endif
