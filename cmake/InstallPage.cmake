# Runs npm ci in DASHBOARD and checks what came of it: npm 9.2 can die with exit code 0 and nothing installed.
execute_process(COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error --fetch-retries=1
                WORKING_DIRECTORY ${DASHBOARD} RESULT_VARIABLE status)
set(marker ${DASHBOARD}/node_modules/.package-lock.json)
if(NOT status EQUAL 0 OR NOT EXISTS ${marker} OR NOT EXISTS ${DASHBOARD}/node_modules/esbuild/package.json)
  message(FATAL_ERROR "npm ci failed in ${DASHBOARD}. Check the network and npm's registry and certificate settings, "
                      "or configure with -DSLUICE_DASHBOARD=OFF to build without the page.")
endif()
file(TOUCH ${marker})
