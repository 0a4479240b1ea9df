#pragma once

#include <vector>

#include "resist/train/full_pass.h"

namespace resist {

// Running statistics of every norm of the global, scaled network, so that a single picture can be classified: the
// moments over all samples of the job's batches, each batch normalised with its own statistics on its way (as training
// does; "precise batch norm", Wu and Johnson, arXiv 2105.07576, section 3). All workers call it together; the result is
// the same on each and does not depend on their number. Error where not one sample could be read.
NormStatistics calibrate(Communicator& communicator, Network& network, BlockSource& blocks, const EvaluationJob& job);

// Residual scales worth trying where S = `workers`: from 1/S to 1/sqrt(S) in equal ratios.
std::vector<double> scale_candidates(int workers);

}  // namespace resist
