// The version of idgen. dev/versions sees that the other files which name it agree.
#pragma once

// The release. Its first two parts are the version of the extension, that is, of its SQL.
#define IDGEN_VERSION "1.0.0"
