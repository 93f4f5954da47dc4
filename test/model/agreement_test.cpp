// Every interleaving of two and three servers that agree on a change of a layout (core/scheme.h),
// with the core's own rules. runner.h says how to run it.
#include <agreement.h>
#include "runner.h"

#include <vector>

namespace idgen::model {
namespace {

class Agreements : public ScenarioList {
 public:
  Agreements() {
    using enum AgreeingPart::Does;
    using Parts = std::vector<AgreeingPart>;
    Add<Agreement>("agreement: in brief", Parts{{0, {kLearn, kWork, kCommit}}, {0, {kLook, kTake}}})
        .begins_ms = {kShortMs, 0, 0};
    Add<Agreement>("agreement: 2 servers", Parts{{0, {kWork, kWork, kCommit}},
                                                 {0, {kTake, kLook, kTake, kLook, kTake}},
                                                 {1, {kWork, kLook, kWork, kTake, kLook, kTake}}});
    auto& late = Add<Agreement>(
        "agreement: 2 servers, one has time beyond",
        Parts{{0, {kWork, kWork, kCommit}}, {1, {kWork, kWork}}, {1, {kTake, kLook, kTake}}});
    late.begins_ms = {kShortMs, kLongMs, 0};
    Add<Agreement>("agreement: 2 servers, one comes", Parts{{0, {kLearn, kWork, kCommit}},
                                                            {1, {kWork, kWork}},
                                                            {1, {kLook, kTake, kLook, kTake}}})
        .begins_ms = {kShortMs, 0, 0};
    Add<Agreement>("agreement: 2 servers, there and back", Parts{{0, {kLearn, kWork, kCommit}},
                                                                 {1, {kWork, kStop, kWork, kWork}},
                                                                 {1, {kTake, kLook, kTake}}});
    Add<Agreement>("agreement: 2 servers change over",
                   Parts{{0, {kLearn, kWork, kCommit, kLearn, kApply}},
                         {0, {kTake, kLook, kTake, kLook, kTake}},
                         {1, {kLearn, kWork, kLearn, kApply, kLook, kTake}}});
    Add<Agreement>(
        "agreement: 3 servers",
        Parts{
            {0, {kLearn, kWork, kCommit}}, {1, {kLearn, kWork}}, {2, {kWork}}, {2, {kLook, kTake}}})
        .begins_ms = {kShortMs, kShortMs, kShortMs};
    Add<Agreement>("agreement: called off", Parts{{0, {kWork, kWork, kCommit}},
                                                  {1, {kWork, kWork, kWork, kLook, kTake}},
                                                  {0, {kCallOff}}});
    Add<Agreement>("agreement: called off, and proposed again",
                   Parts{{0, {kLearn, kWork, kLearn, kCommit}},
                         {1, {kLearn, kWork, kLearn, kWork, kLook, kTake}},
                         {0, {kCallOff, kGoBack}}});
    Add<Agreement>("agreement: 2 commit", Parts{{0, {kLearn, kWork, kCommit}},
                                                {1, {kLearn, kWork, kCommit, kLook, kTake}},
                                                {0, {kLook, kTake}}});
    Add<Agreement>("agreement: lost answers", Parts{{0, {kLearn, kWork, kCommit}},
                                                    {1, {kWork, kWork}},
                                                    {1, {kLook, kTake, kLook, kTake}}})
        .failures = 1;
    Add<Agreement>(
        "agreement: forgetful",
        Parts{{0, {kWork, kWork, kCommit}}, {1, {kWork, kWork}}, {1, {kTake, kLook, kTake}}})
        .forgets = true;
  }
};

}  // namespace
}  // namespace idgen::model

int main(int argc, char** argv) {
  const idgen::model::Agreements scenarios;
  return idgen::model::RunScenarios(scenarios.all(), {argv + 1, argv + argc});
}
